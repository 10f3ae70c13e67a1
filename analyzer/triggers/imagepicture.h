#ifndef ANALYZER_TRIGGERS_IMAGEPICTURE_H_
#define ANALYZER_TRIGGERS_IMAGEPICTURE_H_

#include "analyzer/triggers/imageset_parts.h"

struct basis;

/*
 * imagepicture_put: what was found as a picture: "picture", a PNG in base64
 * of at most IMAGEPICTURE_MAX bytes, "picture_width" and "picture_height".
 * A block is enlarged; of a residue or cluster the direction is shown, grey
 * where it is zero.  Nothing is put when it would be larger.
 */
#define IMAGEPICTURE_MAX 16384

void imagepicture_put(const struct imageset *t, const struct image_find *f,
    struct basis *s);

#endif /* !ANALYZER_TRIGGERS_IMAGEPICTURE_H_ */
