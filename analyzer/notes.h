#ifndef ANALYZER_NOTES_H_
#define ANALYZER_NOTES_H_

struct attempt;
struct ev_meta;

/*
 * Metadata, whatever format tells it: addresses and secrets become notes of
 * the object (TXT-URL, TXT-ADDRESS, TXT-SECRET, TXT-PASSWORD).  Each is told
 * once, NOTES_MAX in all; TXT-NOTES-CUT says that there are more.
 */
#define NOTES_MAX 12

void notes_meta(struct attempt *a, const struct ev_meta *m);

#endif /* !ANALYZER_NOTES_H_ */
