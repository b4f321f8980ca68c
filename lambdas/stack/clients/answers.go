package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/lambda-rollout/lambda-rollout/lambdas/lazyregexp"
)

// Answers puts documents to the pre-signed URLs of CloudFormation.
type Answers struct {
	client *http.Client
	// allowed says which hosts are CloudFormation's.
	allowed func(*url.URL) bool
	sleep   func(context.Context, time.Duration) error
}

// amazonHost matches S3's hosts, in all partitions.
var amazonHost = lazyregexp.New(`^([a-z0-9.-]+\.)?s3[.-]([a-z0-9.-]+\.)?amazonaws\.com(\.cn)?$`)

// bucket matches CloudFormation's buckets for answers and for wait conditions.
var bucket = lazyregexp.New(`^/?cloudformation-(custom-resource-response|waitcondition)-[a-z0-9-]+[./]`)

// Amazon reports whether a URL is in one of CloudFormation's buckets for answers, on a host
// of S3, as the bucket's name in the host or at the beginning of the path.
func Amazon(u *url.URL) bool {
	return u.Scheme == "https" && u.User == nil && (u.Port() == "" || u.Port() == "443") && amazonHost.MatchString(u.Hostname()) &&
		(bucket.MatchString(u.Hostname()) || bucket.MatchString(u.Path))
}

// NewAnswers returns Answers that puts only to URLs that are allowed, see Amazon. Between
// tries it sleeps.
func NewAnswers(client *http.Client, allowed func(*url.URL) bool, sleep func(context.Context, time.Duration) error) Answers {
	own := *client
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // S3's answers redirect nowhere
	return Answers{&own, allowed, sleep}
}

// Check implements provider.Answers.
func (a Answers) Check(text string) error {
	if u, err := url.Parse(text); err != nil || !a.allowed(u) {
		return errors.New("the answer's URL is not one of CloudFormation's")
	}
	return nil
}

// Send implements provider.Answers. It tries three times.
func (a Answers) Send(ctx context.Context, to string, document []byte) error {
	if err := a.Check(to); err != nil {
		return err
	}
	var err error
	for try := range 3 {
		if try > 0 {
			if err := a.sleep(ctx, time.Duration(try)*2*time.Second); err != nil {
				return err
			}
		}
		if err = a.put(ctx, to, document); err == nil {
			return nil
		}
	}
	return err
}

// put puts the document once. The URL is signed for no Content-Type.
func (a Answers) put(ctx context.Context, to string, document []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, to, bytes.NewReader(document))
	if err != nil {
		return errors.New("the answer's URL can't be used")
	}
	request.Header["Content-Type"] = []string{""}
	response, err := a.client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the URL
		}
		return fmt.Errorf("sending the answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("sending the answer: status %d", response.StatusCode)
	}
	return nil
}
