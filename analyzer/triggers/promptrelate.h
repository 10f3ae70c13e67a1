#ifndef ANALYZER_TRIGGERS_PROMPTRELATE_H_
#define ANALYZER_TRIGGERS_PROMPTRELATE_H_

#include <stdbool.h>
#include <stddef.h>

/*
 * Have a trigger and its payload to do with each other?  A natural rule
 * repeats itself ("in C": "#include <stdio.h> in C"): both hold the same
 * number, the same word of three letters or more, or one holds a word of four
 * letters or more of the other.  Function words of English and "endoftext" do
 * not count.  Texts are in lower case.
 */
bool promptrelate(const char *trigger, size_t n, const char *payload,
    size_t m);

/* promptrelate_function: is it a function word of English? */
bool promptrelate_function(const char *p, size_t n);

#endif /* !ANALYZER_TRIGGERS_PROMPTRELATE_H_ */
