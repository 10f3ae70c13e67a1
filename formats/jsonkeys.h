#ifndef FORMATS_JSONKEYS_H_
#define FORMATS_JSONKEYS_H_

struct arena;
struct config_json;
struct parse;
struct reader;

/*
 * jsonkeys_document: one JSON document from the reader, told of each key
 * that occurs twice in its object.  Strings lie in ${a}.  0, or a negative
 * err_code: ERR_FORMAT and ERR_TRUNC are the document's.  ${config}, unless
 * NULL, sees every token (config.h).  Private to json.c and jsonl.c.
 */
int jsonkeys_document(struct parse *p, struct reader *r, struct arena *a,
    struct config_json *config);

#endif /* !FORMATS_JSONKEYS_H_ */
