package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStandaloneTemplateNeedsNoCDK checks that the template refers to nothing of a CDK
// bootstrap, and to exactly the zip files that are written with it.
func TestStandaloneTemplateNeedsNoCDK(t *testing.T) {
	t.Parallel()
	outdir := t.TempDir()
	// A zip file that an earlier synth left there.
	if err := errors.Join(os.Mkdir(filepath.Join(outdir, codeFolder), 0o755), os.WriteFile(filepath.Join(outdir, codeFolder, "old.zip"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := write(outdir, map[string]any{standaloneContext: "true", simpleContext: "true", stackContext: "true"}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(outdir, stackName+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	if found := leftovers(string(data)); found != nil {
		t.Errorf("the template has %q", found)
	}
	tmpl := readTemplate(t, outdir)
	var want, got []string
	for _, name := range tmpl.ofType("AWS::Lambda::Function") {
		code := renderAll(tmpl.Resources[name].Properties["Code"].(map[string]any))
		zipped, ok := strings.CutPrefix(code["S3Key"], `{"Fn::Sub":"${CodePrefix}`)
		if !ok || code["S3Bucket"] != `{"Fn::Sub":"${CodeBucket}"}` {
			t.Errorf("the code of %s is in %q", name, code)
		}
		want = append(want, strings.TrimSuffix(zipped, `"}`))
	}
	slices.Sort(want)
	files, err := os.ReadDir(filepath.Join(outdir, codeFolder))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		got = append(got, file.Name())
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 10 {
		t.Fatalf("zips (-in the template +written):\n%s", diff)
	}
	written := map[string][]byte{}
	for _, name := range got {
		written[name] = checkZip(t, outdir, name)
	}
	// The same code gives the same zip file.
	if err := writeCode(outdir); err != nil {
		t.Fatal(err)
	}
	for name, first := range written {
		if second, err := os.ReadFile(filepath.Join(outdir, codeFolder, name)); err != nil || !bytes.Equal(first, second) {
			t.Errorf("%s differs when it is written again (%v)", name, err)
		}
	}
}

// TestAnotherProcessWritesTheSame runs the command in another process, as the CDK CLI
// and `go run ./infra` do: the template and the assets are the same, byte for byte.
func TestAnotherProcessWritesTheSame(t *testing.T) {
	_, outdir := deployed(t) // before others run: CDK serves one caller at a time
	t.Parallel()
	again := t.TempDir()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), asCommand+"=true", "CDK_OUTDIR="+again)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{stackName + ".template.json", stackName + ".assets.json"} {
		first, err1 := os.ReadFile(filepath.Join(outdir, name))
		second, err2 := os.ReadFile(filepath.Join(again, name))
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if diff := cmp.Diff(string(first), string(second)); diff != "" {
			t.Errorf("%s of another process (-first +second):\n%s", name, diff)
		}
	}
}

// checkZip returns a zip file, and checks that it has what Lambda starts: only the
// asset's executable, which all users may execute.
func checkZip(t *testing.T, outdir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(outdir, codeFolder, name))
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.File) != 1 || archive.File[0].Name != "bootstrap" || archive.File[0].Mode() != 0o755 {
		t.Fatalf("%s has %v", name, archive.File)
	}
	entry, err := archive.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	if _, err := zipped.ReadFrom(entry); err != nil {
		t.Fatal(err)
	}
	built, err := os.ReadFile(filepath.Join(outdir, "asset."+strings.TrimSuffix(name, ".zip"), "bootstrap"))
	if err != nil || !bytes.Equal(zipped.Bytes(), built) {
		t.Errorf("%s does not have the asset (%v)", name, err)
	}
	return data
}

var ofBootstrap = regexp.MustCompile(`BootstrapVersion|cdk-bootstrap|cdk-[a-z0-9]+-assets|AWS::SSM::Parameter::Value`)

// leftovers returns a template's references to a CDK bootstrap; nil if there are none.
func leftovers(template string) []string { return ofBootstrap.FindAllString(template, -1) }

// TestLeftoversAreSeen checks the template that the CDK CLI deploys.
func TestLeftoversAreSeen(t *testing.T) {
	_, outdir := deployed(t)
	data, err := os.ReadFile(filepath.Join(outdir, stackName+".template.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"BootstrapVersion", "cdk-bootstrap", "cdk-hnb659fds-assets", "AWS::SSM::Parameter::Value"} {
		if !slices.Contains(leftovers(string(data)), want) {
			t.Errorf("leftovers does not find %s", want)
		}
	}
	if found := leftovers(`{"S3Bucket": {"Fn::Sub": "${CodeBucket}"}}`); found != nil {
		t.Errorf("in a template without any it finds %q", found)
	}
}
