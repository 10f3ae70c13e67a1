#ifndef ANALYZER_CONTRADICT_H_
#define ANALYZER_CONTRADICT_H_

#include <stdbool.h>

#include "analyzer/finding.h"

/*
 * What an object is called, what libmagic says it is, and what its parser
 * found: a loader, a mail filter or a person may go by any of the three.
 *
 * Only what is certain contradicts.  A label counts when it stands for a magic
 * of four bytes and more, or for a checked structure; libmagic's guesses by
 * two bytes ("MS Windows COFF") label weights every day.  A name counts when
 * it promises a format that runs nothing and the object is one that can.
 *
 * Pure: strings that were checked or made printable before.
 */

/* contradict_label: ${label} may be NULL.  ret's texts are the arguments. */
bool contradict_label(const char *format, const char *label,
    struct finding *ret);
/* contradict_name: by the last part of a result's path. */
bool contradict_name(const char *path, const char *format,
    struct finding *ret);

#endif /* !ANALYZER_CONTRADICT_H_ */
