#ifndef CLI_FENCED_H_
#define CLI_FENCED_H_

/*
 * fenced_run(main, arg, output): run main(arg, fd) in a process of its own,
 * which enters the sandbox by itself (bundle_open) before its first hostile
 * byte, and copy what it writes to fd to standard output, or to -o
 * ${output} (replaced only when all was written).  Returns main's exit
 * code, or 2 and a message when the process did not end by itself.
 */
int fenced_run(int (*main)(void *arg, int out_fd), void *arg,
    const char *output);

#endif /* !CLI_FENCED_H_ */
