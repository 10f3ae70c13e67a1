#include "collector/journal.h"

/*
 * Linked into the programs of build/testing, which are otherwise the release
 * ones object by object: a checkpoint for each MiB and a commit for each
 * object, so that a kill at any moment finds something to go on with in a
 * tree that is copied in a second.
 */
__attribute__((constructor)) static void
tune(void)
{
	journal_tune(1 << 20, 0);
}
