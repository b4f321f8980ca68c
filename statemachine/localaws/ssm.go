package localaws

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// keptVersions is the maximum number of versions of a parameter; the oldest are deleted first.
const keptVersions = 100

// ssmService implements Parameter Store, the part of AWS Systems Manager that keeps parameters, with the standard tier.
type ssmService struct {
	awsJSON
	now    func() time.Time
	caller string // the ARN of the user that every call is attributed to
	prefix string // of all ARNs

	mu         sync.Mutex            // guards what follows
	parameters map[string]*parameter // by name
}

// parameter is a parameter with its kept versions, the oldest first. There is at least one.
type parameter struct {
	name     string
	kind     types.ParameterType
	versions []parameterVersion
}

// parameterVersion is one version of a parameter.
type parameterVersion struct {
	number             int64
	value, user, about string
	at                 time.Time
}

var parameterName = regexp.MustCompile(`^[A-Za-z0-9_./-]{1,1000}$`)

func newSSMService(o Options) *ssmService {
	return &ssmService{
		awsJSON:    awsJSON{target: "AmazonSSM.", fault: "InternalServerError", known: []string{"GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory", "PutParameter", "DeleteParameter", "DeleteParameters"}},
		now:        o.Now,
		caller:     "arn:aws:iam::" + o.Account + ":user/local",
		prefix:     "arn:aws:ssm:" + o.Region + ":" + o.Account + ":parameter/",
		parameters: map[string]*parameter{},
	}
}

// PutParameter creates a parameter of the type String or adds a version to it, without a call, as the user with that ARN.
// It returns an error for what Parameter Store would refuse.
func (s *Server) PutParameter(name, value, user string) error {
	return s.ssm.give(name, value, user, types.ParameterTypeString)
}

// PutSecureParameter acts as PutParameter, for the type SecureString.
func (s *Server) PutSecureParameter(name, value, user string) error {
	return s.ssm.give(name, value, user, types.ParameterTypeSecureString)
}

// give implements PutParameter and PutSecureParameter.
func (s *ssmService) give(name, value, user string, kind types.ParameterType) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.put(&ssm.PutParameterInput{Name: &name, Value: &value, Type: kind, Overwrite: aws.Bool(true)}, user); err != nil {
		return fmt.Errorf("put parameter: %s: %s", err.code, err.message)
	}
	return nil
}

func (s *ssmService) handle(operation string, r *request) (reply, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch operation {
	case "GetParameter":
		return s.getParameter(r)
	case "GetParameters":
		return s.getParameters(r)
	case "DeleteParameters":
		return s.deleteParameters(r)
	case "GetParametersByPath":
		return s.getParametersByPath(r)
	case "GetParameterHistory":
		return s.getParameterHistory(r)
	case "PutParameter":
		return s.putParameter(r)
	case "DeleteParameter":
		return s.deleteParameter(r)
	}
	return reply{}, unknownOperation(operation, r.Request)
}

func (s *ssmService) putParameter(r *request) (reply, *apiError) {
	var in ssm.PutParameterInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	version, err := s.put(&in, s.caller)
	if err != nil {
		return reply{}, err
	}
	return s.encode(&struct {
		Version int64
		Tier    types.ParameterTier
	}{version, tierOf(*in.Value)})
}

// put creates a parameter or adds a version to it, and returns the version's number. s.mu is held.
func (s *ssmService) put(in *ssm.PutParameterInput, user string) (int64, *apiError) {
	if err := checkPut(in); err != nil {
		return 0, err
	}
	p := s.parameters[*in.Name]
	switch {
	case p == nil && in.Type == "":
		return 0, badRequest("ValidationException", "A parameter type is required when you create a parameter.")
	case p == nil:
		p = &parameter{name: *in.Name, kind: in.Type}
		s.parameters[*in.Name] = p
	case !aws.ToBool(in.Overwrite):
		return 0, badRequest("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	case in.Type != "" && in.Type != p.kind:
		return 0, badRequest("HierarchyTypeMismatchException", "The parameter %s is of the type %s, which can't be changed.", p.name, p.kind)
	}
	next := parameterVersion{number: 1, value: *in.Value, user: user, about: aws.ToString(in.Description), at: s.now()}
	if len(p.versions) > 0 {
		next.number = p.latest().number + 1
	}
	p.versions = append(p.versions, next)
	p.versions = p.versions[max(0, len(p.versions)-keptVersions):]
	return next.number, nil
}

// checkPut returns an error for input that Parameter Store refuses or that is not supported.
func checkPut(in *ssm.PutParameterInput) *apiError {
	name, value := aws.ToString(in.Name), aws.ToString(in.Value)
	first := strings.ToLower(strings.TrimPrefix(name, "/"))
	switch {
	case !parameterName.MatchString(name) || strings.HasPrefix(first, "aws") || strings.HasPrefix(first, "ssm"),
		strings.Contains(name, "/") && !strings.HasPrefix(name, "/"), strings.HasSuffix(name, "/"), strings.Contains(name, "//"):
		return badRequest("ValidationException", "%q is not the name of a parameter that can be put.", name)
	case in.Value == nil || value == "":
		return invalid(value, "value", "Member must have length greater than or equal to 1")
	case len(value) > 8192:
		return badRequest("ValidationException", "Advanced tier parameters support a maximum parameter value of 8192 characters.")
	case len(value) > 4096 && in.Tier != types.ParameterTierIntelligentTiering:
		return badRequest("ValidationException", "Standard tier parameters support a maximum parameter value of 4096 characters.")
	case in.Type != "" && in.Type != types.ParameterTypeString && in.Type != types.ParameterTypeStringList && in.Type != types.ParameterTypeSecureString:
		return invalid(in.Type, "type", "Member must satisfy enum value set: [SecureString, StringList, String]")
	case in.Tags != nil || in.Policies != nil || in.AllowedPattern != nil || in.KeyId != nil || aws.ToString(in.DataType) != "" && *in.DataType != "text" ||
		in.Tier != "" && in.Tier != types.ParameterTierStandard && in.Tier != types.ParameterTierIntelligentTiering:
		return badRequest("ValidationException", "The local AWS keeps parameters of the standard tier, without tags, policies, patterns, keys and data types of their own.")
	}
	return nil
}

// tierOf returns the tier that a value needs.
func tierOf(value string) types.ParameterTier {
	if len(value) > 4096 {
		return types.ParameterTierAdvanced
	}
	return types.ParameterTierStandard
}

func (p *parameter) latest() parameterVersion { return p.versions[len(p.versions)-1] }

// valueOf returns a version's value, or a stand-in for the ciphertext of a SecureString that is not to be decrypted.
func (p *parameter) valueOf(v parameterVersion, decrypt *bool) string {
	if p.kind != types.ParameterTypeSecureString || aws.ToBool(decrypt) {
		return v.value
	}
	sum := sha256.Sum256([]byte(v.value))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// getParameter returns the last version, or the one whose number follows the name's colon. Labels are not supported.
func (s *ssmService) getParameter(r *request) (reply, *apiError) {
	var in ssm.GetParameterInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	out, err := s.selected(aws.ToString(in.Name), in.WithDecryption)
	if err != nil {
		return reply{}, err
	}
	return s.encode(&struct{ Parameter parameterItem }{out})
}

// selected returns the version with a number, or the last one for "".
func (p *parameter) selected(number string) (parameterVersion, *apiError) {
	for _, v := range p.versions {
		if number == strconv.FormatInt(v.number, 10) {
			return v, nil
		}
	}
	if number == "" {
		return p.latest(), nil
	}
	return parameterVersion{}, badRequest("ParameterVersionNotFound",
		"Systems Manager could not find version %s of %s. Verify the version and try again.", number, p.name)
}

// parameterItem is a version of a parameter as the operations that read parameters return it.
type parameterItem struct {
	ARN, Name, Value, DataType string
	Selector                   string `json:",omitempty"`
	Type                       types.ParameterType
	Version                    int64
	LastModifiedDate           json.Number
}

// item returns a version of a parameter on the wire.
func (s *ssmService) item(p *parameter, v parameterVersion, decrypt *bool) parameterItem {
	return parameterItem{s.arn(p), p.name, p.valueOf(v, decrypt), "text", "", p.kind, v.number, epochSeconds(v.at)}
}

// find returns the parameter with a name or an ARN, and what follows the name's colon. s.mu is held.
func (s *ssmService) find(given string) (p *parameter, selector string, err *apiError) {
	name, selector, selects := strings.Cut(strings.TrimPrefix(given, s.prefix), ":")
	switch {
	case given == "" || len(given) > 2048:
		return nil, "", invalid(given, "name", "Member must have length between 1 and 2048, inclusive")
	case !parameterName.MatchString(name) || selects && selector == "":
		return nil, "", badRequest("ValidationException", "%q is not the name of a parameter.", given)
	}
	if strings.HasPrefix(given, s.prefix) && s.parameters[name] == nil {
		name = "/" + name
	}
	if p = s.parameters[name]; p == nil {
		return nil, "", badRequest("ParameterNotFound", "") // AWS says no more
	}
	return p, selector, nil
}

func (s *ssmService) arn(p *parameter) string {
	return s.prefix + strings.TrimPrefix(p.name, "/")
}
