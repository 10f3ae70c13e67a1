#ifndef ANALYZER_DIFF_HEADORDER_H_
#define ANALYZER_DIFF_HEADORDER_H_

struct err;
struct table;
struct tensor;

/*
 * Rotary embeddings pair the rows of a head either as halves (Hugging Face)
 * or as neighbours (GGUF, Meta): the converter turns one into the other for
 * q and k (convert_hf_to_gguf.py, LlamaModel.permute), so that row
 *   head * d + 2 j + i  of GGUF is  head * d + i * d / 2 + j  of the other.
 *
 * headorder_find: the older tensor with its rows in the newer one's order, if
 * the two are the q or k of one layer and some size of a head makes them
 * alike; *head is that size.  NULL: none, or there is no room for a copy.
 */
const struct tensor *headorder_find(struct table *old,
    const struct tensor *a, const struct tensor *b, unsigned *head,
    struct err *e);

#endif /* !ANALYZER_DIFF_HEADORDER_H_ */
