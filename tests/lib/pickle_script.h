#ifndef TESTS_LIB_PICKLE_SCRIPT_H_
#define TESTS_LIB_PICKLE_SCRIPT_H_

#include <stddef.h>

/*
 * Pickles as short scripts, words separated by blanks:
 *
 *   G:module:name   both names and STACK_GLOBAL
 *   'text           SHORT_BINUNICODE; "~" stands for a blank
 *   <...>           the script in between as SHORT_BINBYTES
 *   #hh             the byte
 *   x               one character: the opcode
 *
 * "\x80\x04" comes first by itself.  Returns the length in dst[0..cap);
 * fails the test when the script is malformed.
 */
size_t pickle_script(const char *script, char *dst, size_t cap);

#endif /* !TESTS_LIB_PICKLE_SCRIPT_H_ */
