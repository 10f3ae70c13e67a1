#ifndef ANALYZER_INTAKE_GIT_WORKER_H_
#define ANALYZER_INTAKE_GIT_WORKER_H_

/*
 * Git repositories among what was taken, for collector/intake.h; rows and
 * problems are regwire.h's.
 *
 * libgit2 reads files by their paths.  So this process makes a private folder
 * in $TMPDIR (else /var/tmp) and starts a second one (git_reader.h), which
 * enters the fence with leave to read that folder alone.  That one parses
 * files.jsonl, the repositories and what belongs to them, and asks for copies
 * of their own files; this one parses nothing: it believes no path, place or
 * number of what is asked for, copies bytes out of the bundle, and takes the
 * copies away.  Ended by a signal, it leaves that folder behind.
 */
int git_worker_main(void *arg, int out_fd);

#endif /* !ANALYZER_INTAKE_GIT_WORKER_H_ */
