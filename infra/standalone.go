package main

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// The parameters of a standalone template for the location of its functions' code: in
// CodeBucket, below CodePrefix, which is empty or ends in a slash.
const (
	codeBucket = "CodeBucket"
	codePrefix = "CodePrefix"
)

// codeFolder is the folder, in the output, of the functions' zip files. Their names are
// those that the template has after CodePrefix.
const codeFolder = "code"

// standaloneSynthesizer returns a synthesizer whose template refers to its parameters
// instead of the CDK bootstrap's bucket, and does not require a bootstrap.
func standaloneSynthesizer() awscdk.IStackSynthesizer {
	return awscdk.NewDefaultStackSynthesizer(&awscdk.DefaultStackSynthesizerProps{
		FileAssetsBucketName:         jsii.String("${" + codeBucket + "}"),
		BucketPrefix:                 jsii.String("${" + codePrefix + "}"),
		GenerateBootstrapVersionRule: jsii.Bool(false),
	})
}

func addCodeParameters(stack awscdk.Stack) {
	awscdk.NewCfnParameter(stack, jsii.String(codeBucket), &awscdk.CfnParameterProps{
		Type:        jsii.String("String"),
		Description: jsii.String("The bucket, in this Region, with the functions' zip files"),
	})
	awscdk.NewCfnParameter(stack, jsii.String(codePrefix), &awscdk.CfnParameterProps{
		Type:           jsii.String("String"),
		Default:        jsii.String(""),
		AllowedPattern: jsii.String("(.*/)?"),
		Description:    jsii.String("Prefix of the zip files' names in the bucket: empty, or folders with a slash at the end"),
	})
}

// writeCode zips the assets of a standalone template that was synthesized into outdir.
// It first removes an earlier synth's zip files, because users upload the whole folder.
func writeCode(outdir string) error {
	data, err := os.ReadFile(filepath.Join(outdir, stackName+".assets.json"))
	if err != nil {
		return err
	}
	var manifest struct {
		Files map[string]struct {
			Source struct{ Path, Packaging string }
		}
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		return err
	}
	code := filepath.Join(outdir, codeFolder)
	if err := errors.Join(os.RemoveAll(code), os.MkdirAll(code, 0o755)); err != nil {
		return err
	}
	for hash, file := range manifest.Files {
		if file.Source.Packaging != "zip" { // the template itself
			continue
		}
		if err := writeZip(filepath.Join(code, hash+".zip"), filepath.Join(outdir, file.Source.Path, executable)); err != nil {
			return fmt.Errorf("zip the code of a function: %w", err)
		}
	}
	return nil
}

// executable is the one file of a function's asset.
const executable = "bootstrap"

// writeZip writes a zip file with one executable. It contains no time, so that the
// same executable gives the same zip file.
func writeZip(name, source string) (err error) {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	archive := zip.NewWriter(out)
	defer func() { err = errors.Join(err, archive.Close(), out.Close()) }()
	header := &zip.FileHeader{Name: executable, Method: zip.Deflate}
	header.SetMode(0o755)
	entry, err := archive.CreateHeader(header)
	if err == nil {
		_, err = io.Copy(entry, in)
	}
	return err
}
