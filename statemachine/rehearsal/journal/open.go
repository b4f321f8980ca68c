package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// lockPatience is how long Open waits for another process that has the file open.
const lockPatience = 200 * time.Millisecond

// Open opens a file, or creates it with the permissions 0600: it has what clients send, payloads and values of parameters
// included. The error is one sentence that names the file, for example that another process has it open, that it is not
// a file of this package, or that it has another format. Such a file is left as it is.
func Open(path string) (*Journal, error) { return open(path, 0) }

// open is Open for a file of at most some bytes; 0 for no limit.
func open(path string, most int) (*Journal, error) {
	j := &Journal{path: path, answers: map[uint64][]byte{}}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file: choose another name", path)
	}
	err := guard(func() (err error) {
		if j.db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockPatience, MaxSize: most}); err != nil {
			return err
		}
		return j.db.View(j.load)
	})
	if err != nil {
		if j.db != nil {
			_ = j.db.Close() // nothing has been written
		}
		return nil, j.explain("can't be opened", err)
	}
	return j, nil
}

// load reads all but the requests.
func (j *Journal) load(tx *bbolt.Tx) error {
	b := tx.Bucket(about)
	if b == nil {
		if first, _ := tx.Cursor().First(); first != nil {
			return errAnother
		}
		return nil // new
	}
	if format := string(b.Get(formatKey)); format != strconv.Itoa(Format) {
		return fmt.Errorf("%w: %s", errFormat, format)
	}
	for _, name := range buckets {
		if tx.Bucket(name) == nil {
			return errDamaged
		}
	}
	seed, err := strconv.ParseUint(string(b.Get(seedKey)), 10, 64)
	start, startErr := time.Parse(time.RFC3339Nano, string(b.Get(startKey)))
	if err != nil || startErr != nil {
		return errDamaged
	}
	j.settings = &Settings{seed, append([]byte(nil), b.Get(scenarioKey)...), append([]byte(nil), b.Get(templateKey)...), start}
	j.reached.Time, j.until = start, start
	if at, ok := momentOf(b.Get(reachedKey)); ok {
		j.reached = at
	}
	if at := b.Get(untilKey); len(at) == 8 {
		j.until = instant(at)
	}
	times := []time.Time{j.reached.Time}
	if _, last := tx.Bucket(moments).Cursor().Last(); last != nil {
		at, ok := momentOf(last)
		if !ok {
			return errDamaged
		}
		times = append(times, at.Time)
	}
	for _, t := range times {
		if t.After(j.until) {
			j.until = t
		}
	}
	return nil
}

// guard calls f, and returns an error where a damaged file makes the store panic or read beyond the file's end.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: %v", errDamaged, cause)
		}
	}()
	return f()
}

// explain returns an error about the file as one sentence.
func (j *Journal) explain(what string, err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return fmt.Errorf("%s is in use by another process: stop that, or choose another name", j.path)
	case errors.Is(err, errFormat):
		_, format, _ := strings.Cut(err.Error(), ": ")
		return fmt.Errorf("%s has the format %s, and this version reads the format %d: use the version of rehearse that wrote it, or choose another name", j.path, format, Format)
	case errors.Is(err, errAnother), errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrVersionMismatch):
		return fmt.Errorf("%s is not a file of rehearse serve: choose another name", j.path)
	case errors.Is(err, errDamaged), errors.Is(err, bolterrors.ErrChecksum):
		return fmt.Errorf("%s is damaged: restore it from a copy, or choose another name", j.path)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, bolterrors.ErrMaxSizeReached):
		return fmt.Errorf("%s %s: there is no space left on the disk", j.path, what)
	}
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("%s %s: %w", j.path, what, err)
}
