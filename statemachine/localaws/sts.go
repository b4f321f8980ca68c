package localaws

import (
	"crypto/sha256"
	"encoding/base32"
	"net/http"
	"strings"
)

// stsService implements the operation of AWS STS that reports who calls.
type stsService struct {
	awsQuery
	account string
}

func newSTSService(o Options) *stsService {
	return &stsService{
		awsQuery: awsQuery{version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/", fault: "InternalFailure", known: []string{"GetCallerIdentity"}},
		account:  o.Account,
	}
}

func (s *stsService) route(r *http.Request) (operation, target string, err *apiError) {
	operation, _, err = s.call(r)
	return operation, "", err
}

// needs implements service: GetCallerIdentity needs no permission, and cannot be denied.
func (s *stsService) needs(string, *request) ([]need, *apiError) {
	return []need{nothingNeeded}, nil
}

func (s *stsService) denied(message string) *apiError {
	return &apiError{http.StatusForbidden, "AccessDenied", message}
}

// handle answers with the call's principal, if its access key is one's ARN, and otherwise with the user "local".
func (s *stsService) handle(operation string, r *request) (reply, *apiError) {
	if operation != "GetCallerIdentity" {
		return reply{}, unknownOperation(operation, r.Request)
	}
	caller := r.principal
	if !strings.HasPrefix(caller, "arn:") {
		caller = "arn:aws:iam::" + s.account + ":user/local"
	}
	account := s.account
	if parts := strings.SplitN(caller, ":", 6); len(parts) == 6 && parts[4] != "" {
		account = parts[4]
	}
	return s.encode(operation, struct{ Arn, UserId, Account string }{caller, userID(caller), account}), nil
}

// userID returns the unique id of a principal as IAM writes it: 21 characters, which begin with the kind of the principal;
// for an assumed role, followed by the session's name.
func userID(principal string) string {
	identity, session, kind := principal, "", "AIDA"
	if _, role, ok := strings.Cut(principal, ":assumed-role/"); ok {
		kind = "AROA"
		if name, of, ok := strings.Cut(role, "/"); ok {
			identity, session = strings.TrimSuffix(principal, role)+name, ":"+of
		}
	}
	sum := sha256.Sum256([]byte(identity))
	return kind + base32.StdEncoding.EncodeToString(sum[:])[:17] + session
}
