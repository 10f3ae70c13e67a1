#ifndef BASE_VERSION_H_
#define BASE_VERSION_H_

#define EXHIBIT_VERSION "0.1.0"
#define EXHIBIT_TOOL "exhibit " EXHIBIT_VERSION

#endif /* !BASE_VERSION_H_ */
