#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/compare.h"
#include "analyzer/diff/leafjson.h"
#include "analyzer/diff/table.h"
#include "analyzer/diff/tokentest.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/text.h"
#include "formats/flatjson.h"
#include "formats/tokenizer.h"

/*
 * What lies beside the weights: the vocabulary (the best of the side's files)
 * and config.json; and --tokenizer, which names ids and is no part of NEW.
 */
static int
load_given(struct tokentest *t)
{
	struct bytesrc *src;
	const struct job_part *p = t->tokenizer;
	const struct vocab *given = NULL;
	int r;

	if ((src = bytesrc_fd(p->fd, 0, p->size, t->e)) == NULL)
		return ERR_NOMEM;
	r = vocab_read(src, p->path, strlen(p->path), t->arena,
	    &given, t->e);
	if (r == 1)
		r = vocab_read(src, NULL, 0, t->arena, &given, t->e);
	bytesrc_free(src);
	if (r < 0)
		return r;
	t->given_unread = r == 1 || given->cut;
	if (r == 0)
		t->words = given;
	return 0;
}

static int
load_vocab(struct tokentest *t, unsigned s)
{
	const struct leaves *l = &t->side[s]->leaves;
	struct vocab_file *v;
	struct err why = ERR_INIT;
	size_t which = 0;
	int r;

	if ((v = calloc(l->n + 1, sizeof(*v))) == NULL)
		return err_set(t->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < l->n; i++)
		v[i] = (struct vocab_file){l->v[i].path, l->v[i].path_len,
		    l->v[i].src};
	r = vocab_find_in(v, l->n, t->arena, &t->vocab[s], &which, &why);
	if (r == 0)
		t->vocab_path[s] = (struct row_text){v[which].path,
		    v[which].path_len};
	else
		t->vocab[s] = NULL;
	t->unread[s] = r == ERR_LIMIT || (r == 0 && t->vocab[s]->cut);
	free(v);
	/* Too long a list of words is no failure of the comparison. */
	if (r < 0 && r != ERR_LIMIT)
		return err_set(t->e, (enum err_code)r, "%s", why.msg);
	return 0;
}

/* "id2label.7" is class 7. */
static void
note_label(struct tokentest *t, const struct flat *f)
{
	static const char key[] = "id2label.";
	const size_t n = sizeof(key) - 1;
	uint64_t id;

	if (f->type != FLAT_STRING || f->key_len <= n ||
	    memcmp(f->key, key, n) != 0 || !text_u64(f->key + n,
	    f->key_len - n, 10, t->nlabels - 1, &id))
		return;
	t->label[id] = f->p;
}

#define LABELS_MAX 1000

/* A whole number below ${max}; 0: none, or another thing. */
static uint32_t
whole(const struct flat_list *l, const char *key, uint64_t max)
{
	const struct flat *f = flatjson_find(l->v, l->n, key);
	uint64_t v;

	return f != NULL && f->type == FLAT_NUMBER &&
	    text_u64(f->p, f->n, 10, max, &v) ? (uint32_t)v : 0;
}

static void
note_heads(struct tokentest *t, const struct flat_list *l)
{
	struct headshare_config *h = &t->c->heads;

	h->heads = whole(l, "num_attention_heads", HEADSHARE_MAX);
	if (h->heads == 0)
		h->heads = whole(l, "n_head", HEADSHARE_MAX);
	h->kv_heads = whole(l, "num_key_value_heads", HEADSHARE_MAX);
}

static int
read_config(struct tokentest *t, const struct flat_list *list)
{
	const struct flat *f;

	note_heads(t, list);
	t->has_config = true;
	f = flatjson_find(list->v, list->n, "tie_word_embeddings");
	/* Absent, transformers takes it for true of models with a head. */
	if (f == NULL)
		t->has_config = false;
	else
		t->tied_config = f->type == FLAT_TRUE;
	if ((t->label = arena_array(t->arena, LABELS_MAX,
	    sizeof(const char *))) == NULL)
		return err_set(t->e, ERR_NOMEM, "out of memory");
	t->nlabels = LABELS_MAX;
	for (size_t i = 0; i < list->n; i++)
		note_label(t, &list->v[i]);
	return 0;
}

static int
load_config(struct tokentest *t)
{
	const struct leaf *leaf = leafjson_find(&t->side[1]->leaves,
	    "config.json");
	struct flat_list list;
	int r;

	if (leaf == NULL)
		return 0;
	if ((r = leafjson_read(leaf, t->arena, &list, t->e)) != 0)
		return r < 0 ? r : 0;
	return read_config(t, &list);
}

int
tokentest_load(struct tokentest *t)
{
	int r = 0;

	for (unsigned s = 0; s < 2 && r >= 0; s++)
		if (t->side[s] != NULL)
			r = load_vocab(t, s);
	t->words = t->vocab[1];
	if (r >= 0 && t->tokenizer != NULL && t->tokenizer->fd >= 0)
		r = load_given(t);
	return r < 0 ? r : load_config(t);
}
