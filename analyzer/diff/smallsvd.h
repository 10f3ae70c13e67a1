#ifndef ANALYZER_DIFF_SMALLSVD_H_
#define ANALYZER_DIFF_SMALLSVD_H_

#include <stdbool.h>
#include <stddef.h>

/*
 * Singular values by way of the Gram matrix, in double precision: those of Z
 * are the roots of the eigenvalues of G = Z^T Z.  Squaring costs half of the
 * digits: values below 3e-8 of the largest are noise, far below what single
 * precision left of D (spectrum.c's floor is 7e-5), and G is small whatever
 * Z is.
 */
#define SMALLSVD_MAX 272

/* smallsvd_room: doubles that both need as scratch. */
#define SMALLSVD_ROOM(n) (4 * (size_t)(n))

/*
 * smallsvd_eigen: the eigenvalues of the symmetric, row-major n x n matrix
 * ${g}, which is destroyed, into w[n], descending; unless ${vec} is NULL, the
 * unit eigenvector of w[k] into row k of it.  Of g the upper triangle counts.
 * False if it does not converge, which NaN and infinities bring about.
 */
bool smallsvd_eigen(double *g, unsigned n, double *w, double *vec,
    double *room);

/*
 * smallsvd_whiten: ${g} is Y^T Y; makes ${g} upper triangular with Y g
 * orthonormal, up to rounding (the inverse of Cholesky's factor).  A column
 * of Y that depends on those before it to within rounding becomes 0.  How
 * many did not.
 */
unsigned smallsvd_whiten(double *g, unsigned n, double *room);

#endif /* !ANALYZER_DIFF_SMALLSVD_H_ */
