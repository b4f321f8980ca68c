package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/lambda-rollout/lambda-rollout/statemachine/asl"
)

var began = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// begun returns a new journal in a file, with some requests.
func begun(t *testing.T, path string, entries int) *Journal {
	t.Helper()
	j, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	if err := j.Begin(Settings{7, []byte("{}"), []byte(`{"a": 1}`), began}); err != nil {
		t.Fatal(err)
	}
	for i := range entries {
		n, err := j.Add(asl.Moment{Turns: uint64(i * 2), Time: began.Add(time.Duration(i) * time.Second)}, bytes.Repeat([]byte{byte(i)}, 5000))
		if err != nil || n != uint64(i+1) {
			t.Fatalf("request %d has the number %d: %v", i, n, err)
		}
		if i%2 == 0 {
			j.Answered(n, []byte{byte(i)})
		}
	}
	return j
}

func TestWhatIsStoredIsReadBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	j := begun(t, path, 9)
	if err := j.Advance(began.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := j.Reach(asl.Moment{Turns: 99, Time: began.Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's permissions are %v (%v), want 0600", info.Mode(), err)
	}
	j, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if s, ok := j.Settings(); !ok || s.Seed != 7 || string(s.Scenario) != "{}" || string(s.Template) != `{"a": 1}` || !s.Start.Equal(began) {
		t.Errorf("the settings are %+v", s)
	}
	if last, until := j.Reached(); last.Turns != 99 || !last.Time.Equal(began.Add(time.Minute)) || !until.Equal(began.Add(time.Hour)) {
		t.Errorf("%+v and %s were reached", last, until)
	}
	if j.Len() != 9 {
		t.Errorf("there are %d requests", j.Len())
	}
	for i := range 9 {
		e, err := j.Entry(uint64(i + 1))
		if err != nil || e.Turns != uint64(i*2) || !e.Time.Equal(began.Add(time.Duration(i)*time.Second)) || len(e.Request) != 5000 || e.Request[0] != byte(i) || (len(e.Answer) == 1) != (i%2 == 0) {
			t.Errorf("request %d is %v %v: %v", i, e.Moment, e.Answer, err)
		}
	}
	if err := j.Begin(Settings{}); err == nil {
		t.Error("another AWS began in the file")
	}
}

// refused returns Open's error for a file, which must leave it as it is.
func refused(t *testing.T, path string) string {
	t.Helper()
	before, _ := os.ReadFile(path)
	j, err := Open(path)
	if err == nil {
		_ = j.Close()
		return "opened"
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Errorf("%s has changed", path)
	}
	if text := err.Error(); strings.Contains(text, "\n") || !strings.Contains(text, path) {
		t.Errorf("the error is not one sentence with the file's name: %s", text)
	}
	return err.Error()
}

func TestWhatIsNotOursIsRefused(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name, want string
		prepare    func(t *testing.T, path string)
	}{
		{"text", "is not a file of rehearse serve", func(t *testing.T, path string) { put(t, path, []byte(strings.Repeat("a line of text\n", 5000))) }},
		{"a few bytes", "is not a file of rehearse serve", func(t *testing.T, path string) { put(t, path, []byte("{}")) }},
		{"another program's store", "is not a file of rehearse serve", func(t *testing.T, path string) {
			another(t, path, func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
		}},
		{"a newer format", "has the format 2, and this version reads the format 1", func(t *testing.T, path string) {
			_ = begun(t, path, 1).Close()
			another(t, path, func(tx *bbolt.Tx) error { return tx.Bucket(about).Put(formatKey, []byte("2")) })
		}},
		{"an older format", "has the format 0, and this version reads the format 1", func(t *testing.T, path string) {
			_ = begun(t, path, 1).Close()
			another(t, path, func(tx *bbolt.Tx) error { return tx.Bucket(about).Put(formatKey, []byte("0")) })
		}},
		{"no settings", "is damaged", func(t *testing.T, path string) {
			_ = begun(t, path, 1).Close()
			another(t, path, func(tx *bbolt.Tx) error { return tx.Bucket(about).Delete(startKey) })
		}},
		{"in use", "is in use by another process", func(t *testing.T, path string) { begun(t, path, 1) }},
		{"a directory", "is not a regular file", func(t *testing.T, path string) { _ = os.Mkdir(path, 0o700) }},
		{"a device", "is not a regular file", func(t *testing.T, path string) { _ = os.Symlink("/dev/null", path) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, c.name)
			c.prepare(t, path)
			if got := refused(t, path); !strings.Contains(got, c.want) {
				t.Errorf("the error is %q, want one that says %q", got, c.want)
			}
		})
	}
	if got := refused(t, filepath.Join(dir, "no", "such")); !strings.Contains(got, "no such file or directory") {
		t.Errorf("in a directory that does not exist, the error is %q", got)
	}
}

func put(t *testing.T, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// another changes a file as another program would.
func another(t *testing.T, path string, f func(*bbolt.Tx) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(f); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestADamagedFileIsRefusedOrRead(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	_ = begun(t, whole, 60).Close()
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	page, dir, refusals := os.Getpagesize(), t.TempDir(), map[string]int{}
	try := func(name string, broken []byte) {
		path := filepath.Join(dir, name) // one each: where the store panics, it keeps its lock
		put(t, path, broken)
		j, err := Open(path)
		for n := uint64(1); err == nil && n <= 60; n++ {
			_, err = j.Entry(n)
		}
		if j != nil {
			_ = j.Close()
		}
		if err != nil {
			_, text, _ := strings.Cut(err.Error(), path+" ")
			refusals[text]++
		}
	}
	for size := page / 2; size < len(data); size += 3 * page {
		try(fmt.Sprintf("cut at %d", size), data[:size])
	}
	for at := 0; at < len(data); at += page { // none may crash the process
		broken := bytes.Clone(data)
		copy(broken[at:], bytes.Repeat([]byte{0xa5}, page))
		try(fmt.Sprintf("overwritten at %d", at), broken)
	}
	const damaged, another = "is damaged: restore it from a copy, or choose another name", "is not a file of rehearse serve: choose another name"
	if refusals[damaged] < 10 || len(refusals) > 2 || len(refusals) == 2 && refusals[another] == 0 {
		t.Errorf("the refusals are %v", refusals)
	}
}

func TestAFullDiskLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data")
	_ = begun(t, path, 0).Close()
	j, err := open(path, 200_000)
	if err != nil {
		t.Fatal(err)
	}
	stored := uint64(0)
	for err == nil && stored < 1000 {
		if _, err = j.Add(asl.Moment{Turns: stored, Time: began}, make([]byte, 5000)); err == nil {
			stored++
		}
	}
	if err == nil || !strings.Contains(err.Error(), "can't be written: there is no space left on the disk") {
		t.Fatalf("after %d requests, the error is %v", stored, err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if j.Len() != stored {
		t.Errorf("there are %d requests, want the %d that were stored", j.Len(), stored)
	}
	if n, err := j.Add(asl.Moment{Turns: stored, Time: began}, []byte("more")); err != nil || n != stored+1 {
		t.Errorf("with space again, the next one has the number %d: %v", n, err)
	}
	for n := range stored {
		if _, err := j.Entry(n + 1); err != nil {
			t.Error(fmt.Errorf("request %d: %w", n+1, err))
		}
	}
}
