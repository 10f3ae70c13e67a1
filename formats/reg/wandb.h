#ifndef FORMATS_REG_WANDB_H_
#define FORMATS_REG_WANDB_H_

#include <stddef.h>
#include <stdint.h>

#include "formats/reg/reg.h"

struct bytesrc;

/* One run folder of Weights & Biases.  Private to wandb*.c. */
struct wandb {
	struct reg_parse *p;
	const struct reg_file *log;
	const char *run, *project;	/* in the arena; "" */
};

/*
 * wandb_log: the records of a .wandb file, each to wandb_record.  0, 1 when
 * it does not hold to its end (told), or negative.
 */
int wandb_log(struct wandb *w, const struct reg_file *f);
/* wandb_record: one record, at ${off} of the log; 0 or negative. */
int wandb_record(struct wandb *w, const void *record, size_t n,
    uint64_t off);

#endif /* !FORMATS_REG_WANDB_H_ */
