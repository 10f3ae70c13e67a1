#ifndef CLI_PASSPHRASE_H_
#define CLI_PASSPHRASE_H_

struct err;

/*
 * passphrase_read(path, ret, e): the first line of a file ("-": standard
 * input) without its line feed; *ret is a NUL-terminated string that
 * passphrase_free cleanses.  ${path} NULL gives NULL.  An empty passphrase
 * is ERR_ARG.
 */
int passphrase_read(const char *path, char **ret, struct err *e);
void passphrase_free(char *p);

#endif /* !CLI_PASSPHRASE_H_ */
