// Package browsertest drives Chromium in tests of pages: it finds or installs the
// browser, shows pages, and reports what it and axe-core find wrong with them.
package browsertest

import (
	"archive/tar"
	"bytes"
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/chromedp/chromedp"

	"github.com/lambda-rollout/lambda-rollout/statemachine/internal/nodetool"
)

//go:embed browser
var pins embed.FS

// Browser is a Chromium, how to run it, and where the npm packages are that
// come with the tests.
type Browser struct {
	path, packages string
	environment    []string
}

// findBrowser takes the browser that CHROME names, or one on the PATH, or else
// installs one.
func findBrowser() (Browser, error) {
	files, err := fs.Sub(pins, "browser")
	if err != nil {
		return Browser{}, err
	}
	packages, err := nodetool.Install("browser", files)
	if err != nil {
		return Browser{}, err
	}
	b := Browser{path: os.Getenv("CHROME"), packages: packages}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		found, _ := exec.LookPath(name) // no such one: perhaps the next
		b.path = cmp.Or(b.path, found)
	}
	if b.path != "" {
		return b, nil
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return b, errors.New("no browser was found: install Chromium or Chrome, or say in the variable CHROME where it is (the one from npm is for Linux on x64)")
	}
	folder := packages + "-unpacked"
	b.path = filepath.Join(folder, "chromium")
	b.environment = []string{"LD_LIBRARY_PATH=" + filepath.Join(folder, "lib"), "FONTCONFIG_FILE=" + filepath.Join(folder, "only.conf")}
	err = nodetool.Make(folder, func(unfinished string) error {
		fonts := fmt.Sprintf(`<?xml version="1.0"?><fontconfig><dir>%s</dir><cachedir>%s</cachedir></fontconfig>`,
			filepath.Join(folder, "fonts"), filepath.Join(folder, "cache"))
		return errors.Join(
			unpack(packages, "chromium.br", func(r io.Reader) error { return write(filepath.Join(unfinished, "chromium"), r, 0o755) }),
			unpack(packages, "al2023.tar.br", func(r io.Reader) error { return untar(unfinished, r) }),
			unpack(packages, "fonts.tar.br", func(r io.Reader) error { return untar(unfinished, r) }),
			os.WriteFile(filepath.Join(unfinished, "only.conf"), []byte(fonts), 0o644))
	})
	return b, err
}

// unpack hands on the content of one of the package's files.
func unpack(packages, name string, take func(io.Reader) error) error {
	packed, err := os.Open(filepath.Join(packages, "node_modules", "@sparticuz", "chromium", "bin", name))
	if err != nil {
		return err
	}
	defer packed.Close()
	node := exec.Command("node", "-e", `process.stdin.pipe(require("zlib").createBrotliDecompress()).pipe(process.stdout)`)
	var complaint bytes.Buffer
	node.Stdin, node.Stderr = packed, &complaint
	content, err := node.StdoutPipe()
	if err != nil {
		return err
	}
	if err := node.Start(); err != nil {
		return err
	}
	if err := errors.Join(take(content), node.Wait()); err != nil {
		return fmt.Errorf("unpacking %s: %w %s", name, err, complaint.String())
	}
	return nil
}

func write(path string, content io.Reader, mode os.FileMode) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

// untar writes an archive's files into a folder, and nowhere else.
func untar(folder string, archive io.Reader) error {
	for entries := tar.NewReader(archive); ; {
		entry, err := entries.Next()
		if err == io.EOF {
			_, err = io.Copy(io.Discard, archive)
			return err
		}
		if err != nil {
			return err
		}
		if entry.Typeflag != tar.TypeReg || !filepath.IsLocal(entry.Name) {
			continue
		}
		path := filepath.Join(folder, entry.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := write(path, entries, 0o644); err != nil {
			return err
		}
	}
}

// options are how chromedp starts the browser: with a new profile, without
// whatever would look for a network, and with time to start on a busy machine.
func (b Browser) options() []chromedp.ExecAllocatorOption {
	return append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(b.path), chromedp.Env(b.environment...), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
}
