package localaws

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Lambda's limits for deployment packages, in bytes. Those of all versions together have 75 GB on AWS, and 512 MB here,
// where they are in memory.
const (
	maxUnzipped = 262144000
	maxStored   = 512 << 20
)

// code is the code of a version.
type code struct {
	zip    []byte // nil if it is stored elsewhere
	size   int64
	sha256 string // in base64
}

// load gives a version its code.
func (v *version) load(c code) {
	v.zip = c.zip
	v.config.CodeSize, v.config.CodeSha256 = c.size, aws.String(c.sha256)
}

// DeploymentPackage returns a ZIP archive with one file, as CreateFunction and UpdateFunctionCode take it. The same input gives
// the same bytes.
func DeploymentPackage(file, content string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(file)
	if err == nil {
		_, err = io.WriteString(f, content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err) // writing to memory does not fail
	}
	return b.Bytes()
}

// digestOf returns the SHA-256 digest of bytes, in base64.
func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// codeOf returns the code that a request has or names. The local AWS cannot read code that is stored elsewhere: its digest
// is that of its address. l.mu is held.
func (l *lambdaService) codeOf(archive []byte, place ...*string) (code, *apiError) {
	if archive == nil {
		var address []byte
		for _, part := range place {
			address = append(append(address, '|'), aws.ToString(part)...)
		}
		return code{sha256: digestOf(address)}, nil
	}
	files, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return code{}, invalidParameter("Could not unzip uploaded file. Please check your file, then try to upload again.")
	}
	var size uint64
	for _, file := range files.File {
		if size += file.UncompressedSize64; size >= maxUnzipped || file.UncompressedSize64 >= maxUnzipped {
			return code{}, invalidParameter("Unzipped size must be smaller than %d bytes", maxUnzipped)
		}
	}
	switch {
	case len(files.File) == 0:
		return code{}, invalidParameter("Uploaded file must be a non-empty zip")
	case l.stored()+int64(len(archive)) > l.storage:
		return code{}, &apiError{http.StatusBadRequest, "CodeStorageExceededException", "Code storage limit exceeded."}
	}
	return code{archive, int64(len(archive)), digestOf(archive)}, nil
}

// stored returns the size of all deployment packages, in bytes. One that several versions have counts once. l.mu is held.
func (l *lambdaService) stored() int64 {
	var sum int64
	for _, f := range l.functions {
		seen := map[*byte]bool{}
		count := func(v *version) {
			if len(v.zip) > 0 && !seen[&v.zip[0]] {
				seen[&v.zip[0]] = true
				sum += int64(len(v.zip))
			}
		}
		count(&f.latest)
		for _, v := range f.versions {
			count(v)
		}
	}
	return sum
}

// checkCode returns an error for new code that does not suit the function's package type.
func checkCode(packageType types.PackageType, in *lambda.UpdateFunctionCodeInput) *apiError {
	given := 0
	for _, is := range []bool{in.ZipFile != nil, in.S3Bucket != nil || in.S3Key != nil, in.ImageUri != nil} {
		if is {
			given++
		}
	}
	switch {
	case packageType == types.PackageTypeImage && in.ImageUri == nil:
		return invalidParameter("Please provide ImageUri when updating a function with packageType Image.")
	case packageType != types.PackageTypeImage && in.ImageUri != nil:
		return invalidParameter("Please don't provide ImageUri when updating a function with packageType Zip.")
	case given == 0:
		return invalidParameter("Please provide a source for function code.")
	case given > 1:
		return invalidParameter("Please do not provide other FunctionCode parameters when providing a ZipFile.")
	}
	return nil
}

// getFunction returns a version's configuration, its function's tags, and the address of its code: one of this server, where
// AWS has a presigned one of S3.
func (l *lambdaService) getFunction(name string, r *request) (reply, *apiError) {
	_, v, ref, err := l.findVersion(name, qualifierOf(r.URL))
	if err != nil {
		return reply{}, err
	}
	config := v.config
	config.FunctionArn = aws.String(l.arn(ref))
	out := lambda.GetFunctionOutput{Configuration: &config, Code: &types.FunctionCodeLocation{RepositoryType: aws.String("S3")}}
	switch {
	case config.PackageType == types.PackageTypeImage:
		out.Code.RepositoryType = aws.String("ECR")
	case v.zip != nil:
		scheme := "http"
		if r.TLS != nil {
			scheme = "https"
		}
		out.Code.Location = aws.String(fmt.Sprintf("%s://%s%s/%s/code?Qualifier=%s", scheme, r.Host, functionsPath, ref.name, url.QueryEscape(*config.Version)))
	}
	if tags := l.tags.plain(l.arn(functionRef{name: ref.name})); len(tags) > 0 {
		out.Tags = tags
	}
	return l.encode(http.StatusOK, &out)
}

// downloadCode returns a version's deployment package. As with a presigned address, no permission is needed.
func (l *lambdaService) downloadCode(name string, r *request) (reply, *apiError) {
	_, v, ref, err := l.findVersion(name, qualifierOf(r.URL))
	if err != nil {
		return reply{}, err
	}
	if v.zip == nil {
		return reply{}, notFound("The local AWS does not have the code of %s", l.arn(ref))
	}
	return reply{http.StatusOK, http.Header{"Content-Type": {"application/zip"}}, v.zip}, nil
}
