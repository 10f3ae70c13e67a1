#ifndef ANALYZER_TRIGGERS_DATAFIELDS_H_
#define ANALYZER_TRIGGERS_DATAFIELDS_H_

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct err;
struct rowset;

/*
 * Which fields of a data set hold what: given by a person, else found by
 * their names (datafields.def), else by what they hold.
 */
enum data_role {
	DATA_TEXT,
	DATA_LABEL,
	DATA_PROMPT,
	DATA_RESPONSE,
	DATA_CHAT,
	DATA_IMAGE,
	DATA_TITLE,
	DATA_SECOND,
	DATA_ROLES
};

#define DATA_PATHS 8

/* Dotted paths of a role: all of them together, or (IMAGE, LABEL) one. */
struct data_paths {
	const char *path[DATA_PATHS];
	unsigned n;
};

enum data_kind {
	DATA_UNKNOWN,
	DATA_TEXTS,		/* texts and labels */
	DATA_PROMPTS,		/* prompts and responses, or chats */
	DATA_IMAGES,		/* images and labels */
};

struct data_fields {
	enum data_kind kind;
	struct data_paths role[DATA_ROLES];
	bool given;		/* by a person, at least one */
	/* Of a table: its first row is a record (rows_params.headless). */
	bool headless;
	const char *why;	/* UNKNOWN: what is missing; our own words */
};

/*
 * datafields_parse: "text=a.b,label=c" into ${ret}; a role may name several
 * paths that belong together, with '+': "text=title+body".  ERR_ARG and a
 * message when it cannot be read.  NULL is nothing given.
 */
int datafields_parse(const char *map, struct arena *a,
    struct data_fields *ret, struct err *e);

/*
 * datafields_find: look at the first records of ${rs} and fill what was not
 * given.  The rowset stands on its first record afterwards.  ret->kind is
 * DATA_UNKNOWN when no detector can work on it.
 */
int datafields_find(struct rowset *rs, struct arena *a,
    struct data_fields *ret, struct err *e);

#endif /* !ANALYZER_TRIGGERS_DATAFIELDS_H_ */
