#ifndef BASE_BANNED_H_
#define BASE_BANNED_H_

/*
 * Functions that do not compile here.  Force-included before every file: the
 * system headers that declare them come first, then the names are poisoned.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* With _FORTIFY_SOURCE some C libraries make these macros. */
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strncpy stpcpy strcat strncat sprintf vsprintf gets
#pragma GCC poison atoi atol atoll atof sscanf vsscanf strtok strtok_r
#pragma GCC poison gmtime localtime gmtime_r localtime_r asctime asctime_r
#pragma GCC poison mktime tmpnam tempnam mktemp system popen vfork

#endif /* !BASE_BANNED_H_ */
