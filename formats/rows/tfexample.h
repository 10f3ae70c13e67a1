#ifndef FORMATS_ROWS_TFEXAMPLE_H_
#define FORMATS_ROWS_TFEXAMPLE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct rows_value;

/*
 * tf.train.Example in memory (tensorflow/core/example/example.proto):
 *
 *	Example   1 features             SequenceExample   1 context
 *	Features  1 map<name, Feature>                     2 lists
 *	Feature   1 bytes_list  2 float_list  3 int64_list, each 1 values
 *
 * A feature of one value is that value, of several a list, of none an empty
 * list.  Bytes that are UTF-8 without control characters are TEXT.  The
 * lists of a SequenceExample are lists of those.  Of two features with one
 * name the last counts, as in every protobuf map.
 */

/* tfexample_check: is it one, to its last byte?  The others ask for that. */
bool tfexample_check(const uint8_t *p, size_t n);

/* tfexample_get: by name, and a dot and a number for one of several values. */
void tfexample_get(const uint8_t *p, size_t n, const char *path,
    struct rows_value *v, struct buf *scratch);

void tfexample_json(struct buf *b, const uint8_t *p, size_t n);

#endif /* !FORMATS_ROWS_TFEXAMPLE_H_ */
