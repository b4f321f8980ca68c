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

// The parameters of a standalone template, which say where its functions' code
// is: in CodeBucket, below CodePrefix, which is empty or ends in a slash.
const (
	codeBucket = "CodeBucket"
	codePrefix = "CodePrefix"
)

// codeFolder is where the zips of a standalone template's functions are written,
// named as the template has them after CodePrefix.
const codeFolder = "code"

// standaloneSynthesizer has the template name its parameters in place of the
// bucket of a CDK bootstrap, and ask for no bootstrap.
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
		Description: jsii.String("The bucket, in this Region, that has the zips of the functions"),
	})
	awscdk.NewCfnParameter(stack, jsii.String(codePrefix), &awscdk.CfnParameterProps{
		Type:           jsii.String("String"),
		Default:        jsii.String(""),
		AllowedPattern: jsii.String("(.*/)?"),
		Description:    jsii.String("What stands before the zips' names in the bucket: nothing, or folders with a slash at the end"),
	})
}

// writeCode zips the assets of a standalone template that was synthesized into outdir.
// What an earlier synth has left in the zips' folder goes: all that is in it is uploaded.
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

// writeZip writes a zip of the one executable. It has no time in it: the same
// executable is the same zip.
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
