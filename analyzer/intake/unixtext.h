#ifndef ANALYZER_INTAKE_UNIXTEXT_H_
#define ANALYZER_INTAKE_UNIXTEXT_H_

struct bytesrc;
struct err;

/*
 * unixtext: the bytes of ${src}, which must outlive it, with a LF for each
 * CRLF: what git keeps of a text file where core.autocrlf or an attribute
 * gives the working folder CRLF (git, convert.c).  0 and *ret, 1 when ${src}
 * has no CRLF or, having a NUL, is no text, or negative.  Reads ${src} once
 * whole; *ret is read in order at the cost of one more reading.
 */
int unixtext(const struct bytesrc *src, struct bytesrc **ret, struct err *e);

#endif /* !ANALYZER_INTAKE_UNIXTEXT_H_ */
