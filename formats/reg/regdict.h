#ifndef FORMATS_REG_REGDICT_H_
#define FORMATS_REG_REGDICT_H_

#include "formats/reg/mlflow.h"

/*
 * A look-up that is filled, sorted, and then asked: what a reader must know
 * of one table while it reads another.  Everything is copied into the arena.
 */
struct regdict_pair {
	struct mlflow_text key, value, more;
	uint64_t count;		/* the owner's, zero at first */
	int64_t first, last;
};

struct regdict {
	struct regdict_pair *v;
	size_t n, cap;
};

/* 0 or ERR_NOMEM.  Of one key that is put twice either may be found. */
int regdict_put(struct regdict *d, struct arena *a, struct mlflow_text key,
    struct mlflow_text value, struct mlflow_text more, struct err *e);
void regdict_sort(struct regdict *d);
struct regdict_pair *regdict_get(const struct regdict *d,
    struct mlflow_text key);

#endif /* !FORMATS_REG_REGDICT_H_ */
