#ifndef ANALYZER_DIFF_LEAFJSON_H_
#define ANALYZER_DIFF_LEAFJSON_H_

struct arena;
struct err;
struct flat_list;
struct leaf;
struct leaves;

/*
 * leafjson_find: the file of this name that lies least deep, or NULL.
 * leafjson_read: a JSON file as a flat list; 1: it is too long or no JSON
 * (which is told where files are compared).
 */
const struct leaf *leafjson_find(const struct leaves *l, const char *name);
int leafjson_read(const struct leaf *leaf, struct arena *arena,
    struct flat_list *ret, struct err *e);

#endif /* !ANALYZER_DIFF_LEAFJSON_H_ */
