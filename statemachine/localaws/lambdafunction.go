package localaws

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// latest is the name of a function's unpublished version.
const latest = "$LATEST"

// defaultTimeout is a function's default Timeout, in seconds.
const defaultTimeout = 3

// function is a Lambda function with everything that belongs to it.
type function struct {
	latest   version
	changed  bool             // since the last version was published
	versions map[int]*version // published and not deleted, by number
	last     int              // the number of the last published version
	aliases  map[string]Alias

	provisioned map[string]provisioned // by version or alias
	failing     map[string]string      // why versions can't be initialized, by number
}

// version is one version of a function.
type version struct {
	config  types.FunctionConfiguration
	handler Handler
}

// find returns the function that ref names, after ending the allocations that are due. The error is Lambda's refusal.
// l.mu is held.
func (l *lambdaService) find(ref functionRef) (*function, *apiError) {
	if f := l.functions[ref.name]; f != nil {
		l.settle(f, l.now())
		return f, nil
	}
	return nil, notFound("Function not found: %s", l.arn(functionRef{name: ref.name}))
}

// findUnqualified returns the function that a name without a qualifier stands for. l.mu is held.
func (l *lambdaService) findUnqualified(name string) (*function, functionRef, *apiError) {
	ref, err := l.unqualified(name)
	if err != nil {
		return nil, ref, err
	}
	f, err := l.find(ref)
	return f, ref, err
}

// findQualified returns the function that a name stands for, with the qualifier in the name or in the request's query.
// l.mu is held.
func (l *lambdaService) findQualified(name string, r *request) (*function, functionRef, *apiError) {
	ref, err := l.qualified(name, r.URL.Query().Get("Qualifier"))
	if err != nil {
		return nil, ref, err
	}
	f, err := l.find(ref)
	return f, ref, err
}

// version returns the version of that number, $LATEST for "" and "$LATEST", or nil. l.mu is held as long as it is used.
func (f *function) version(number string) *version {
	if number == "" || number == latest {
		return &f.latest
	}
	if n, err := strconv.Atoi(number); err == nil && isVersion(number) {
		return f.versions[n]
	}
	return nil
}

func (l *lambdaService) createFunction(r *request) (reply, *apiError) {
	var in lambda.CreateFunctionInput
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	ref, err := l.unqualified(aws.ToString(in.FunctionName))
	if err != nil {
		return reply{}, err
	}
	if aws.ToString(in.Role) == "" {
		return reply{}, invalid("null", "role", "Member must not be null")
	}
	if in.Code == nil {
		return reply{}, invalid("null", "code", "Member must not be null")
	}

	if l.functions[ref.name] != nil {
		return reply{}, &apiError{http.StatusConflict, "ResourceConflictException", "Function already exist: " + ref.name}
	}
	size, sum := codeOf(in.Code.ZipFile, in.Code.S3Bucket, in.Code.S3Key, in.Code.S3ObjectVersion, in.Code.ImageUri)
	if in.Timeout == nil {
		in.Timeout = aws.Int32(defaultTimeout)
	}
	f := l.add(types.FunctionConfiguration{
		FunctionName: &ref.name,
		Role:         in.Role, DeadLetterConfig: in.DeadLetterConfig, Description: in.Description, Handler: in.Handler,
		Runtime: in.Runtime, Timeout: in.Timeout, MemorySize: in.MemorySize, PackageType: in.PackageType, Architectures: in.Architectures,
		CodeSha256: &sum, CodeSize: size,
	})
	if in.Environment != nil {
		f.latest.config.Environment = &types.EnvironmentResponse{Variables: in.Environment.Variables}
	}
	if in.Publish {
		return l.encode(http.StatusCreated, &l.publish(f, nil).config)
	}
	return l.encode(http.StatusCreated, &f.latest.config)
}

// add adds a function that is ready to be invoked, with nothing published yet. l.mu is held.
func (l *lambdaService) add(config types.FunctionConfiguration) *function {
	config.FunctionArn, config.Version = aws.String(l.arn(functionRef{name: *config.FunctionName})), aws.String(latest)
	config.State, config.LastUpdateStatus = types.StateActive, types.LastUpdateStatusSuccessful
	f := &function{latest: version{config: config}, changed: true, versions: map[int]*version{}, aliases: map[string]Alias{},
		provisioned: map[string]provisioned{}, failing: map[string]string{}}
	l.touch(&f.latest)
	l.functions[*config.FunctionName] = f
	return f
}

func (l *lambdaService) updateFunctionCode(name string, r *request) (reply, *apiError) {
	var in lambda.UpdateFunctionCodeInput
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	size, sum := codeOf(in.ZipFile, in.S3Bucket, in.S3Key, in.S3ObjectVersion, in.ImageUri)
	return l.updateLatest(name, in.RevisionId, in.Publish, func(c *types.FunctionConfiguration) {
		c.CodeSha256, c.CodeSize = &sum, size
	})
}

func (l *lambdaService) updateFunctionConfiguration(name string, r *request) (reply, *apiError) {
	var in lambda.UpdateFunctionConfigurationInput
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	return l.updateLatest(name, in.RevisionId, false, func(c *types.FunctionConfiguration) {
		replace(&c.Role, in.Role)
		replace(&c.DeadLetterConfig, in.DeadLetterConfig)
		replace(&c.Description, in.Description)
		replace(&c.Handler, in.Handler)
		replace(&c.Timeout, in.Timeout)
		replace(&c.MemorySize, in.MemorySize)
		if in.Runtime != "" {
			c.Runtime = in.Runtime
		}
		if in.Environment != nil {
			c.Environment = &types.EnvironmentResponse{Variables: in.Environment.Variables}
		}
	})
}

// updateLatest changes a function's $LATEST, and publishes it if publish is set.
func (l *lambdaService) updateLatest(name string, revision *string, publish bool, change func(*types.FunctionConfiguration)) (reply, *apiError) {
	f, _, err := l.findUnqualified(name)
	if err != nil {
		return reply{}, err
	}
	if revision != nil && *revision != *f.latest.config.RevisionId {
		return reply{}, staleRevision()
	}
	before := f.latest.config
	change(&f.latest.config)
	f.changed = f.changed || !reflect.DeepEqual(before, f.latest.config)
	l.touch(&f.latest)
	if publish {
		return l.encode(http.StatusOK, &l.publish(f, nil).config)
	}
	return l.encode(http.StatusOK, &f.latest.config)
}

func (l *lambdaService) getFunctionConfiguration(name string, r *request) (reply, *apiError) {
	f, ref, err := l.findQualified(name, r)
	if err != nil {
		return reply{}, err
	}
	number := ref.qualifier
	if alias, ok := f.aliases[number]; ok {
		number = alias.Version
	}
	v := f.version(number)
	if v == nil {
		return reply{}, notFound("Function not found: %s", l.arn(ref))
	}
	config := v.config
	config.FunctionArn = aws.String(l.arn(ref))
	return l.encode(http.StatusOK, &config)
}

func (l *lambdaService) publishVersion(name string, r *request) (reply, *apiError) {
	var in lambda.PublishVersionInput
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	f, _, err := l.findUnqualified(name)
	if err != nil {
		return reply{}, err
	}
	if in.RevisionId != nil && *in.RevisionId != *f.latest.config.RevisionId {
		return reply{}, staleRevision()
	}
	if sum := aws.ToString(in.CodeSha256); sum != "" && sum != *f.latest.config.CodeSha256 {
		return reply{}, invalidParameter("CodeSHA256 (%s) is different from current CodeSHA256 in $LATEST (%s). Please try again with the CodeSHA256 in $LATEST.",
			sum, *f.latest.config.CodeSha256)
	}
	return l.encode(http.StatusCreated, &l.publish(f, in.Description).config)
}

// publish publishes $LATEST and returns the new version. If nothing has changed since the last one, it returns that one, as
// AWS does.
func (l *lambdaService) publish(f *function, description *string) *version {
	if f.changed {
		f.changed = false
		v := f.latest
		f.last++
		ref := functionRef{*v.config.FunctionName, strconv.Itoa(f.last)}
		v.config.Version, v.config.FunctionArn = &ref.qualifier, aws.String(l.arn(ref))
		replace(&v.config.Description, description)
		l.touch(&v)
		f.latest.config.RevisionId = aws.String(l.nextRevision())
		f.versions[f.last] = &v
	}
	return f.versions[f.last]
}

// SetConfiguration changes the configuration that Lambda reports for a version ("" or "$LATEST": the unpublished one) in
// ways that no single call can: its State, LastUpdateStatus, Role, DeadLetterConfig, Timeout,
// CapacityProviderConfig, DurableConfig, TenancyConfig and so on. With a TenancyConfig, the version can only be invoked for
// a tenant.
func (s *Server) SetConfiguration(functionName, number string, change func(*types.FunctionConfiguration)) error {
	l := s.lambda
	l.mu.Lock()
	defer l.mu.Unlock()
	v, err := l.versionOf(functionName, number)
	if err != nil {
		return err
	}
	change(&v.config)
	return nil
}

// versionOf returns a version for the methods of Server. l.mu is held.
func (l *lambdaService) versionOf(functionName, number string) (*version, error) {
	f := l.functions[functionName]
	if f == nil {
		return nil, fmt.Errorf("there is no function %q", functionName)
	}
	v := f.version(number)
	if v == nil {
		return nil, fmt.Errorf("function %q has no version %q", functionName, number)
	}
	return v, nil
}

// touch gives the version a new revision and the current time as its last modification.
func (l *lambdaService) touch(v *version) {
	v.config.RevisionId = aws.String(l.nextRevision())
	v.config.LastModified = aws.String(l.now().UTC().Format("2006-01-02T15:04:05.000-0700"))
}

// codeOf returns the size and the digest of code. For code that is stored elsewhere, only its place counts.
func codeOf(zip []byte, place ...*string) (int64, string) {
	digest := sha256.New()
	digest.Write(zip)
	for _, part := range place {
		fmt.Fprintf(digest, "|%s", aws.ToString(part))
	}
	return int64(len(zip)), base64.StdEncoding.EncodeToString(digest.Sum(nil))
}

// replace sets a field to the given value, if there is one.
func replace[T any](field **T, given *T) {
	if given != nil {
		*field = given
	}
}
