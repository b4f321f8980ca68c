// Package journal keeps what a served AWS is restored from in one file: how it began, each request from outside that
// changed something, when that came, and the time that was reached. The store is bbolt: each write is on the disk when it
// returns, a process that is killed in the middle of one leaves the file as it was before, and only one process has the
// file open.
package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

// Format is the version of the file's format that this package reads and writes.
const Format = 1

// Settings are how a served AWS began. It can be restored only with the same.
type Settings struct {
	Seed               uint64
	Scenario, Template []byte // in JSON
	Start              time.Time
}

// Entry is a request from outside.
type Entry struct {
	asl.Moment
	Request []byte // as on the wire of HTTP/1.1
	Answer  []byte // what Answered was given; nil if that was not written
}

// Journal is an open file. It is safe for concurrent use.
type Journal struct {
	path string
	db   *bbolt.DB

	mu       sync.Mutex
	settings *Settings         // nil for a new file
	reached  asl.Moment        // the last one
	until    time.Time         // the latest time that was asked for
	answers  map[uint64][]byte // not written yet
}

// The buckets, and the keys in the first of them.
var (
	about    = []byte("rehearse serve")
	moments  = []byte("moments")  // by number: turns and time
	requests = []byte("requests") // by number
	answers  = []byte("answers")  // by number

	formatKey, seedKey, startKey      = []byte("format"), []byte("seed"), []byte("start")
	scenarioKey, templateKey          = []byte("scenario"), []byte("template")
	reachedKey, untilKey              = []byte("reached"), []byte("until")
	buckets                           = [][]byte{about, moments, requests, answers}
	errAnother, errDamaged, errFormat = errors.New("another file"), errors.New("damaged"), errors.New("another format")
)

// Path returns the file's path.
func (j *Journal) Path() string { return j.path }

// Settings returns how the stored AWS began; false for a new file.
func (j *Journal) Settings() (Settings, bool) {
	if j.settings == nil {
		return Settings{}, false
	}
	return *j.settings, true
}

// Begin stores how an AWS begins, in a new file.
func (j *Journal) Begin(s Settings) error {
	if j.settings != nil {
		return fmt.Errorf("%s has an AWS already", j.path)
	}
	s.Start = s.Start.Round(0).UTC()
	err := j.write(func(tx *bbolt.Tx) error {
		var problems []error
		for _, name := range buckets {
			_, err := tx.CreateBucket(name)
			problems = append(problems, err)
		}
		if err := errors.Join(problems...); err != nil {
			return err
		}
		b := tx.Bucket(about)
		return errors.Join(b.Put(formatKey, []byte(strconv.Itoa(Format))), b.Put(seedKey, []byte(strconv.FormatUint(s.Seed, 10))),
			b.Put(startKey, []byte(s.Start.Format(time.RFC3339Nano))), b.Put(scenarioKey, s.Scenario), b.Put(templateKey, s.Template))
	})
	if err == nil {
		j.settings = &s
	}
	return err
}

// Add stores a request that comes at a moment, and returns its number.
func (j *Journal) Add(at asl.Moment, request []byte) (number uint64, err error) {
	err = j.write(func(tx *bbolt.Tx) error {
		b := tx.Bucket(requests)
		if number, err = b.NextSequence(); err != nil {
			return err
		}
		return errors.Join(b.Put(key(number), request), tx.Bucket(moments).Put(key(number), momentBytes(at)))
	})
	return number, err
}

// Answered notes what a request was answered, in a short form. It is stored with the next write.
func (j *Journal) Answered(number uint64, answer []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.answers[number] = answer
}

// Reach stores the moment that is reached. It writes nothing if that is stored already.
func (j *Journal) Reach(at asl.Moment) error {
	j.mu.Lock()
	same := j.reached.Turns == at.Turns && j.reached.Time.Equal(at.Time) && len(j.answers) == 0
	j.mu.Unlock()
	if same {
		return nil
	}
	err := j.write(func(tx *bbolt.Tx) error { return tx.Bucket(about).Put(reachedKey, momentBytes(at)) })
	if err == nil {
		j.mu.Lock()
		j.reached = at
		j.mu.Unlock()
	}
	return err
}

// Advance stores that time is moved on to an instant.
func (j *Journal) Advance(until time.Time) error {
	return j.write(func(tx *bbolt.Tx) error { return tx.Bucket(about).Put(untilKey, key(uint64(until.UnixNano()))) })
}

// Reached returns the moment that was stored last, and the time until which the stored AWS ran or was to run. Both are zero
// for a new file; the moment may also be before the last requests.
func (j *Journal) Reached() (last asl.Moment, until time.Time) { return j.reached, j.until }

// write performs a transaction that is on the disk afterwards, with the answers that are not stored yet.
func (j *Journal) write(f func(*bbolt.Tx) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	err := guard(func() error {
		return j.db.Update(func(tx *bbolt.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			for number, answer := range j.answers {
				if err := tx.Bucket(answers).Put(key(number), answer); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return j.explain("can't be written", err)
	}
	clear(j.answers)
	return nil
}

// Len returns the number of requests. Their numbers begin with 1.
func (j *Journal) Len() (n uint64) {
	_ = j.db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket(requests); b != nil {
			n = b.Sequence()
		}
		return nil
	})
	return n
}

// Entry returns the request with a number.
func (j *Journal) Entry(number uint64) (e Entry, err error) {
	err = guard(func() error {
		return j.db.View(func(tx *bbolt.Tx) error {
			at, ok := momentOf(tx.Bucket(moments).Get(key(number)))
			request := tx.Bucket(requests).Get(key(number))
			if !ok || request == nil {
				return fmt.Errorf("%w: there is no request %d", errDamaged, number)
			}
			e = Entry{at, append([]byte(nil), request...), append([]byte(nil), tx.Bucket(answers).Get(key(number))...)}
			return nil
		})
	})
	if err != nil {
		return Entry{}, j.explain("can't be read", err)
	}
	return e, nil
}

// Close stores the answers that are not stored yet, and closes the file.
func (j *Journal) Close() error {
	var err error
	if len(j.answers) > 0 {
		err = j.write(func(*bbolt.Tx) error { return nil })
	}
	return errors.Join(err, j.db.Close())
}

// key returns a number as a key, in the order of the numbers.
func key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func momentBytes(m asl.Moment) []byte {
	return binary.BigEndian.AppendUint64(key(m.Turns), uint64(m.Time.UnixNano()))
}

func momentOf(b []byte) (m asl.Moment, ok bool) {
	if len(b) != 16 {
		return m, false
	}
	return asl.Moment{Turns: binary.BigEndian.Uint64(b), Time: instant(b[8:])}, true
}

func instant(b []byte) time.Time { return time.Unix(0, int64(binary.BigEndian.Uint64(b))).UTC() }
