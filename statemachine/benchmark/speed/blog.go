package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// sample is the AWS Compute Blog's sample, which is not in this repository: it is cloned
// when it is first measured.
type sample struct {
	source, folder string // the repository, and where it is cloned
	command        string // Python's

	once   sync.Once
	python string // the executable
	failed error
}

// pythonRuntime is what Lambda's runtime for Python does, as far as the sample needs it.
//
//go:embed runtime.py
var pythonRuntime string

// get clones the sample, and finds Python.
func (s *sample) get() error {
	s.once.Do(func() {
		// The executable itself: a command in front of it, such as one that chooses a version, takes time.
		out, err := output(".", s.command, "-c", "import sys, boto3; print(sys.executable)")
		if err != nil {
			s.failed = fmt.Errorf("it needs Python with boto3 (python3 -m pip install boto3; -python COMMAND for another Python): %w", err)
			return
		}
		s.python = strings.TrimSpace(out)
		if _, err := output(".", "git", "clone", "--quiet", "--depth", "1", s.source, s.folder); err != nil {
			s.failed = fmt.Errorf("get the sample: clone https://github.com/aws-samples/aws-lambda-deploy and pass -blog FOLDER: %w", err)
			return
		}
		s.failed = os.WriteFile(s.runtime(), []byte(pythonRuntime), 0o600)
	})
	return s.failed
}

func (s *sample) runtime() string { return s.folder + ".py" }

// checks returns the processor time of the sample's health check until it has answered a
// number of times. Its minutes are those of the real time, which it reads.
func (s *sample) checks(times int) (float64, error) {
	if err := s.get(); err != nil {
		return 0, err
	}
	w, err := newWorld(time.Now())
	if err != nil {
		return 0, err
	}
	defer w.close()
	if err := w.record("2", time.Now().Add(-30*time.Second), 300); err != nil {
		return 0, err
	}
	event, err := json.Marshal(map[string]string{"function-name": "f", "alias-name": "live", "new-version": "2"})
	if err != nil {
		return 0, err
	}
	api := runtimeAPI{times: times, event: func(int, []byte) []byte { return event }}
	process := exec.Command(s.python, s.runtime(), "health_check.handler")
	took, err := api.serve(process, environment("AWS_ENDPOINT_URL="+w.url, "PYTHONPATH="+filepath.Join(s.folder, "functions", "health_check")))
	if err == nil && string(api.last) != `"SUCCEEDED"` {
		err = fmt.Errorf("the sample's health check answers %s", api.last)
	}
	return took, err
}
