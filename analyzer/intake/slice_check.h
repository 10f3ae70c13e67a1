#ifndef ANALYZER_INTAKE_SLICE_CHECK_H_
#define ANALYZER_INTAKE_SLICE_CHECK_H_

struct slicejob;

/*
 * The slices of a bundle against the source at hand: each file's digest, and
 * the slice derived again: the same records, at the same places, with the
 * same digests.  A slice is meant when its source has the name of the one at
 * hand (the job's specification holds it), or when it is the only one; what
 * came of each is sent as SLICE_CHECKED.  Inside the fence.
 */
int slice_check(struct slicejob *j);

#endif /* !ANALYZER_INTAKE_SLICE_CHECK_H_ */
