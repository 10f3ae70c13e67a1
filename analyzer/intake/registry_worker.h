#ifndef ANALYZER_INTAKE_REGISTRY_WORKER_H_
#define ANALYZER_INTAKE_REGISTRY_WORKER_H_

/*
 * Registries among what was taken, for collector/intake.h: every reader of
 * formats/reg over the members, rows of the normal form to
 * metadata/derived/registry.jsonl, what does not agree to findings.jsonl as
 * findings of the catalogue (their path is the source's).  Its frames are
 * regwire.h's.
 */
int registry_worker_main(void *arg, int out_fd);

#endif /* !ANALYZER_INTAKE_REGISTRY_WORKER_H_ */
