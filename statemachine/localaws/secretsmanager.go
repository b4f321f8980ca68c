package localaws

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// secretsManagerService implements AWS Secrets Manager as far as it serves readers of secrets.
type secretsManagerService struct {
	awsJSON
	now    func() time.Time
	prefix string // of all ARNs

	mu      sync.Mutex        // guards what follows
	secrets map[string]secret // by name
	added   int               // number of versions of all secrets
}

// secret is the current version of a secret.
type secret struct {
	arn, version, value string
	created             time.Time
}

var secretName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`)

func newSecretsManagerService(o Options) *secretsManagerService {
	return &secretsManagerService{
		awsJSON: awsJSON{target: "secretsmanager.", fault: "InternalServiceError", known: []string{"GetSecretValue"}},
		now:     o.Now,
		prefix:  "arn:aws:secretsmanager:" + o.Region + ":" + o.Account + ":secret:",
		secrets: map[string]secret{},
	}
}

// AddSecret adds a secret whose value is a string, or sets the value of an existing one, without a call. A secret's ARN
// ends in its name, "-" and six characters. It returns an error for an invalid name or an empty value.
func (s *Server) AddSecret(name, value string) error {
	m := s.secrets
	m.mu.Lock()
	defer m.mu.Unlock()
	if !secretName.MatchString(name) || value == "" {
		return fmt.Errorf("add secret: %q is not a valid name, or the value is empty", name)
	}
	m.added++
	of, ok := m.secrets[name]
	if !ok {
		of.arn = fmt.Sprintf("%s%s-%06d", m.prefix, name, len(m.secrets)+1)
	}
	of.value, of.version, of.created = value, identifier(uint64(m.added)), m.now()
	m.secrets[name] = of
	return nil
}

func (s *secretsManagerService) handle(operation string, r *request) (reply, *apiError) {
	if operation == "GetSecretValue" {
		return s.getSecretValue(r)
	}
	return reply{}, unknownOperation(operation, r.Request)
}

// getSecretValue returns the current version of a secret. The local AWS keeps no other.
func (s *secretsManagerService) getSecretValue(r *request) (reply, *apiError) {
	var in secretsmanager.GetSecretValueInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	if id := aws.ToString(in.SecretId); id == "" || len(id) > 2048 {
		return reply{}, invalid(id, "secretId", "Member must have length between 1 and 2048, inclusive")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name, of, ok := s.find(*in.SecretId)
	switch {
	case !ok:
		return reply{}, badRequest("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	case in.VersionStage != nil && *in.VersionStage != "AWSCURRENT":
		return reply{}, badRequest("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: %s", *in.VersionStage)
	case in.VersionId != nil && *in.VersionId != of.version:
		return reply{}, badRequest("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: %s", *in.VersionId)
	}
	return s.encode(&struct {
		ARN, Name, VersionId, SecretString string
		VersionStages                      []string
		CreatedDate                        json.Number
	}{of.arn, name, of.version, of.value, []string{"AWSCURRENT"}, epochSeconds(of.created)})
}

// find returns the secret with a name, an ARN, or an ARN without the six characters at its end. s.mu is held.
func (s *secretsManagerService) find(id string) (name string, of secret, ok bool) {
	if of, ok = s.secrets[id]; ok {
		return id, of, true
	}
	for name, of := range s.secrets {
		if of.arn == id || strings.HasPrefix(id, s.prefix) && s.prefix+name == id {
			return name, of, true
		}
	}
	return "", secret{}, false
}
