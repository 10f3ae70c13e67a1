#ifndef ANALYZER_TRIGGERS_DATACHAT_H_
#define ANALYZER_TRIGGERS_DATACHAT_H_

struct buf;
struct err;
struct rowset;

/*
 * A conversation as a prompt and a response: what the assistant says is the
 * response, all else (the system, tools, the user) the prompt, turns joined
 * by line feeds.  Turns are objects of role or from and content, value or
 * text.  Of a conversation the first DATACHAT_TURNS turns are taken.
 */
#define DATACHAT_TURNS 200

int datachat_read(struct rowset *rs, const char *path, struct buf *prompt,
    struct buf *response, struct err *e);

#endif /* !ANALYZER_TRIGGERS_DATACHAT_H_ */
