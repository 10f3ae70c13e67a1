#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/json_write.h"
#include "custody/case.h"
#include "custody/case_dir.h"
#include "custody/case_log.h"

/*
 * What an acquisition that was cut short can leave behind.  Nothing is
 * opened, moved or removed: the ledger says what is there, a person decides.
 */
static const struct {
	const char *suffix, *kind;
} leftovers[] = {{".tar", "final"}, {".tar.partial", "partial"},
    {".partial", "partial"}, {CASE_JOURNAL, "journal"}};
#define NLEFTOVERS (sizeof(leftovers) / sizeof(leftovers[0]))

struct incident {
	const struct case_log_exhibit *x;
	struct {
		bool there;
		const char *unlike; /* not a regular file: what then */
		char name[CASE_BAG_MAX + 16];
		uint64_t size;
	} file[NLEFTOVERS];
};

static int
look(const struct casedir *c, struct incident *in, struct err *e)
{
	struct stat st;
	size_t i;

	for (i = 0; i < NLEFTOVERS; i++) {
		snprintf(in->file[i].name, sizeof(in->file[i].name), "%s%s",
		    in->x->name, leftovers[i].suffix);
		if (fstatat(c->bundles, in->file[i].name, &st,
			AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno == ENOENT)
				continue;
			return err_sys(e, errno, "cannot look for '%s/%s/%s'",
			    c->dir, CASE_BUNDLES, in->file[i].name);
		}
		in->file[i].there = true;
		in->file[i].size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
		if (!S_ISREG(st.st_mode))
			in->file[i].unlike = "not a regular file";
	}
	return 0;
}

static void
put_incident(void *ctx, struct json_write *w)
{
	const struct incident *in = ctx;
	const char *found = "nothing";
	size_t i;

	json_ku64(w, "acquire_seq", in->x->begin_seq);
	json_key(w, "files");
	json_begin_array(w);
	for (i = 0; i < NLEFTOVERS; i++) {
		if (!in->file[i].there)
			continue;
		if (strcmp(found, "nothing") == 0)
			found = leftovers[i].kind;
		json_begin_object(w);
		json_kstr(w, "checked",
		    in->file[i].unlike != NULL ? in->file[i].unlike
					       : "not verified here");
		json_kstr(w, "kind", leftovers[i].kind);
		json_kstr(w, "name", in->file[i].name);
		json_ku64(w, "size", in->file[i].size);
		json_end_object(w);
	}
	json_end_array(w);
	json_kstr(w, "found", found);
	json_kstr(w, "reason", "an acquisition was begun and never sealed");
}

int
case_reconcile(struct casedir *c, struct err *e)
{
	struct case_log *log = NULL;
	struct incident in;
	struct case_what what = {"incident", NULL, put_incident, &in};
	size_t i;
	int r;

	if ((r = case_log_read(c->ledger, NULL, NULL, &log, e)) < 0)
		return r;
	for (i = 0; i < case_log_count(log); i++) {
		memset(&in, 0, sizeof(in));
		in.x = case_log_exhibit(log, i);
		if (in.x->state != CASE_LOG_BEGUN)
			continue;
		what.exhibit = in.x->name;
		if ((r = look(c, &in, e)) < 0 ||
		    (r = case_event_append(c, &what, NULL, e)) < 0)
			goto out;
	}
out:
	case_log_free(log);
	return r;
}
