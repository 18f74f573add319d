/* A disk that fails, for a process that runs: preloaded, it stands before the calls of the system on files whose name
 * holds $DISK_FILES, and does what the page of memory at $DISK_ORDERS says. What it is given to write it notes in
 * $DISK_TRACE, if there is one. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct orders {
  _Atomic int32_t sync_error;   /* errno that a sync meets, 0 for none */
  _Atomic int32_t sync_takes;   /* milliseconds */
  _Atomic int32_t read_error;   /* errno that a read meets, 0 for none */
  _Atomic int32_t syncs_failed; /* how many met it: told to the test */
  _Atomic int32_t reads_failed;
  _Atomic int32_t syncs;
  _Atomic int32_t each;         /* every so many syncs one fails, 0 for none */
};

struct note {
  int64_t offset, size;
  int32_t name;  /* bytes of the name that follows; behind it, what was written */
  char what;     /* w: written, t: cut to offset, s: synced, f: failed to sync, d: deleted */
  char padding[3];
};

static struct orders *orders;
static const char *files;
static int trace = -1;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("DISK_ORDERS");
  files = getenv("DISK_FILES");
  int file = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *found = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  orders = found == MAP_FAILED ? NULL : found;
  close(file);
  if (getenv("DISK_TRACE") != NULL) trace = open(getenv("DISK_TRACE"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int find_name(int file, char name[4096]) {
  char link[64];
  if (orders == NULL || files == NULL || file == trace) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t size = readlink(link, name, 4095);
  if (size < 0) return 0;
  name[size] = 0;
  return strstr(name, files) != NULL;
}

static int concerns(int file) {
  char name[4096];
  return find_name(file, name);
}

static void note(char what, const char *name, off64_t offset, const void *bytes, size_t size) {
  struct note head = {.offset = offset, .size = (int64_t)size, .name = (int32_t)strlen(name), .what = what};
  struct iovec whole[] = {{&head, sizeof head}, {(void *)name, strlen(name)}, {(void *)bytes, size}};
  if (writev(trace, whole, 3) < 0) abort();
}

static void note_of(char what, int file, off64_t offset, const void *bytes, size_t size) {
  char name[4096];
  if (trace >= 0 && find_name(file, name)) note(what, name, offset, bytes, size);
}

static int sync_of(int file, int (*real)(int)) {
  if (!concerns(file)) return real(file);
  int count = ++orders->syncs, each = orders->each;
  int takes = orders->sync_takes, error = each > 0 && count % each == 0 ? EIO : orders->sync_error;
  if (takes > 0) {
    struct timespec span = {takes / 1000, (takes % 1000) * 1000000L};
    nanosleep(&span, NULL);
  }
  note_of(error == 0 ? 's' : 'f', file, 0, "", 0);
  if (error == 0) return real(file);
  orders->syncs_failed++;
  errno = error;
  return -1;
}

static int fails_to_read(int file) {
  if (orders == NULL || orders->read_error == 0 || !concerns(file)) return 0;
  orders->reads_failed++;
  errno = orders->read_error;
  return 1;
}

#define REAL(name, kind) ((kind)dlsym(RTLD_NEXT, name))

int fsync(int file) { return sync_of(file, REAL("fsync", int (*)(int))); }

int fdatasync(int file) { return sync_of(file, REAL("fdatasync", int (*)(int))); }

ssize_t read(int file, void *into, size_t size) {
  static ssize_t (*real)(int, void *, size_t);
  if (real == NULL) real = REAL("read", ssize_t(*)(int, void *, size_t));
  return fails_to_read(file) ? -1 : real(file, into, size);
}

ssize_t pread64(int file, void *into, size_t size, off64_t offset) {
  static ssize_t (*real)(int, void *, size_t, off64_t);
  if (real == NULL) real = REAL("pread64", ssize_t(*)(int, void *, size_t, off64_t));
  return fails_to_read(file) ? -1 : real(file, into, size, offset);
}

ssize_t pread(int file, void *into, size_t size, off_t offset) { return pread64(file, into, size, offset); }

ssize_t write(int file, const void *bytes, size_t size) {
  static ssize_t (*real)(int, const void *, size_t);
  if (real == NULL) real = REAL("write", ssize_t(*)(int, const void *, size_t));
  ssize_t done = real(file, bytes, size);
  if (done > 0) note_of('w', file, lseek(file, 0, SEEK_CUR) - done, bytes, (size_t)done);
  return done;
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t offset) {
  static ssize_t (*real)(int, const void *, size_t, off64_t);
  if (real == NULL) real = REAL("pwrite64", ssize_t(*)(int, const void *, size_t, off64_t));
  ssize_t done = real(file, bytes, size, offset);
  if (done > 0) note_of('w', file, offset, bytes, (size_t)done);
  return done;
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset) { return pwrite64(file, bytes, size, offset); }

int ftruncate64(int file, off64_t size) {
  int done = REAL("ftruncate64", int (*)(int, off64_t))(file, size);
  if (done == 0) note_of('t', file, size, "", 0);
  return done;
}

int ftruncate(int file, off_t size) { return ftruncate64(file, size); }

int unlink(const char *name) {
  int done = REAL("unlink", int (*)(const char *))(name);
  if (done == 0 && trace >= 0 && files != NULL && strstr(name, files) != NULL) note('d', name, 0, "", 0);
  return done;
}
