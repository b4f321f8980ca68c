package runtimeapi

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrNoEmulator reports that the emulator is not available here. The error that wraps it has the reason.
var ErrNoEmulator = errors.New("AWS's Lambda Runtime Interface Emulator can't be built here")

// BuildEmulator builds the emulator that the module in folder source pins, and writes
// its executable. The error wraps ErrNoEmulator if this is no machine for it, or if
// the emulator's modules can't be downloaded.
func BuildEmulator(source, executable string) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("%w: it supports only Linux, and this is %s", ErrNoEmulator, runtime.GOOS)
	}
	for _, name := range []string{"go.mod", "go.sum"} { // so that `go test` notices their changes
		if _, err := os.ReadFile(filepath.Join(source, name)); err != nil {
			return err
		}
	}
	build := exec.Command("go", "build", "-C", source, "-trimpath", "-buildvcs=false", "-o", executable,
		"github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	out, err := build.CombinedOutput()
	if err == nil {
		return nil
	}
	if why := unreachable(string(out)); why != "" {
		return fmt.Errorf("%w: its modules are not in the module cache, and can't be downloaded: %s", ErrNoEmulator, why)
	}
	return fmt.Errorf("build the emulator: %w\n%s", err, out)
}

// unreachable returns the line in which the go command says that it can't reach a
// module, or can't get the Go version that one needs; otherwise "".
func unreachable(output string) string {
	for line := range strings.Lines(output) {
		for _, sign := range []string{
			"dial tcp", "no such host", "connection refused", "connection reset", "i/o timeout", "proxyconnect", "TLS handshake",
			"module lookup disabled by GOPROXY=off", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout", "(running go ",
		} {
			if strings.Contains(line, sign) {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}
