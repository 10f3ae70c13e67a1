#ifndef ANALYZER_DIFF_CLOSENESS_H_
#define ANALYZER_DIFF_CLOSENESS_H_

struct compare;
struct rows;
struct table;

/*
 * How near one version is to another: over the tensors that both have, the
 * root of the sum of |B - A|^2 over that of |A|^2 (casts and renames taken
 * into account), and how many are equal.  Tensors that only one side has
 * count as far as they are large: each as if it had been zero on the other
 * side.  Infinite when nothing is shared.
 */
int closeness_row(const struct compare *c, struct table *const side[2],
    const struct rows *rows);

#endif /* !ANALYZER_DIFF_CLOSENESS_H_ */
