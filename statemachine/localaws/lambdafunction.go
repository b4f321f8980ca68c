package localaws

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"time"

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
	replaced map[string][]replaced // the former states of aliases, oldest first; only if changes lag

	provisioned map[string]provisioned // by version or alias
	failing     map[string]string      // why versions can't be initialized, by number

	due time.Time // when the state of a version changes next; zero if none does
}

// version is one version of a function.
type version struct {
	config  types.FunctionConfiguration
	handler Handler
	zip     []byte        // the deployment package; nil if it is stored elsewhere. It is never modified.
	due     time.Time     // when its state changes by itself; zero if it does not
	next    string        // its revision from then on, given before: it must not depend on who looks first
	wakes   time.Duration // how long it is Pending after it was Inactive
	active  time.Time     // when it became Active; zero if it was not Pending before
}

// find returns the function that ref names, after ending the updates and allocations that are due. The error is Lambda's
// refusal.
// l.mu is held.
func (l *lambdaService) find(ref functionRef) (*function, *apiError) {
	if f := l.functions[ref.name]; f != nil {
		l.settle(f, l.now())
		return f, nil
	}
	return nil, notFound("Function not found: %s", l.arn(ref))
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

// qualifierOf returns the qualifier in the query of a request's URL; "" for none.
func qualifierOf(u *url.URL) string { return u.Query().Get("Qualifier") }

// findQualified returns the function that a name stands for, with the qualifier in the name or beside it; "" for none there.
// l.mu is held.
func (l *lambdaService) findQualified(name, qualifier string) (*function, functionRef, *apiError) {
	ref, err := l.qualified(name, qualifier)
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
	if in.FunctionName == nil {
		return reply{}, absent("functionName")
	}
	ref, err := l.unqualified(*in.FunctionName)
	if err != nil {
		return reply{}, err
	}
	if err := checkCreate(&in); err != nil {
		return reply{}, err
	}
	config := types.FunctionConfiguration{
		FunctionName: &ref.name, Role: in.Role, Handler: in.Handler, Runtime: in.Runtime, PackageType: in.PackageType, Architectures: in.Architectures,
		DeadLetterConfig: in.DeadLetterConfig, EphemeralStorage: in.EphemeralStorage, LoggingConfig: in.LoggingConfig,
		Description: in.Description, Timeout: in.Timeout, MemorySize: in.MemorySize, KMSKeyArn: in.KMSKeyArn, TenancyConfig: in.TenancyConfig,
	}
	if in.Environment != nil {
		config.Environment = environmentOf(in.Environment)
	}
	if in.TracingConfig != nil {
		config.TracingConfig = &types.TracingConfigResponse{Mode: in.TracingConfig.Mode}
	}
	if in.SnapStart != nil {
		config.SnapStart = &types.SnapStartResponse{ApplyOn: in.SnapStart.ApplyOn, OptimizationStatus: types.SnapStartOptimizationStatusOff}
	}
	code, err := l.codeOf(in.Code.ZipFile, in.Code.S3Bucket, in.Code.S3Key, in.Code.S3ObjectVersion, in.Code.ImageUri)
	if err != nil {
		return reply{}, err
	}
	if l.functions[ref.name] != nil {
		return reply{}, conflict("Function already exist: " + ref.name)
	}
	f := l.add(config, code)
	l.begin(f, creating)
	l.tags.set(l.arn(ref), in.Tags)
	if in.Publish {
		return l.encode(http.StatusCreated, &l.publish(f, nil).config)
	}
	return l.encode(http.StatusCreated, &f.latest.config)
}

// add adds a function that is ready to be invoked, with nothing published yet. l.mu is held.
func (l *lambdaService) add(config types.FunctionConfiguration, code code) *function {
	config.FunctionArn, config.Version = aws.String(l.arn(functionRef{name: *config.FunctionName})), aws.String(latest)
	config.State, config.LastUpdateStatus = types.StateActive, types.LastUpdateStatusSuccessful
	l.complete(&config)
	f := &function{latest: version{config: config}, changed: true, versions: map[int]*version{}, aliases: map[string]Alias{}, replaced: map[string][]replaced{},
		provisioned: map[string]provisioned{}, failing: map[string]string{}}
	f.latest.load(code)
	l.touch(&f.latest)
	l.functions[*config.FunctionName] = f
	return f
}

func (l *lambdaService) updateFunctionCode(name string, r *request) (reply, *apiError) {
	var in lambda.UpdateFunctionCodeInput
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	f, err := l.findUpdatable(name, in.RevisionId)
	if err != nil {
		return reply{}, err
	}
	if err := checkCode(f.latest.config.PackageType, &in); err != nil {
		return reply{}, err
	}
	code, err := l.codeOf(in.ZipFile, in.S3Bucket, in.S3Key, in.S3ObjectVersion, in.ImageUri)
	if err != nil {
		return reply{}, err
	}
	if in.DryRun {
		return l.encode(http.StatusOK, &f.latest.config)
	}
	return l.updateLatest(f, in.Publish, func(v *version) {
		v.load(code)
		if in.Architectures != nil {
			v.config.Architectures = in.Architectures
		}
	})
}

func (l *lambdaService) updateFunctionConfiguration(name string, r *request) (reply, *apiError) {
	var in lambda.UpdateFunctionConfigurationInput
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	if err := checkConfiguration(&in); err != nil {
		return reply{}, err
	}
	f, err := l.findUpdatable(name, in.RevisionId)
	if err != nil {
		return reply{}, err
	}
	if err := checkRuntime(in.Runtime); err != nil {
		return reply{}, err
	}
	return l.updateLatest(f, false, func(v *version) { l.configure(&v.config, &in) })
}

// findUpdatable returns the function whose $LATEST a request changes, if it has the given revision, and if nothing else
// is changing it. l.mu is held.
func (l *lambdaService) findUpdatable(name string, revision *string) (*function, *apiError) {
	f, ref, err := l.findUnqualified(name)
	if err != nil {
		return nil, err
	}
	if revision != nil && *revision != *f.latest.config.RevisionId {
		return nil, staleRevision()
	}
	return f, l.checkIdle(f, ref)
}

// updateLatest changes a function's $LATEST, and publishes it if publish is set.
func (l *lambdaService) updateLatest(f *function, publish bool, change func(*version)) (reply, *apiError) {
	before := f.latest.config
	change(&f.latest)
	f.changed = f.changed || !reflect.DeepEqual(before, f.latest.config)
	l.touch(&f.latest)
	l.begin(f, updating)
	if publish {
		return l.encode(http.StatusOK, &l.publish(f, nil).config)
	}
	return l.encode(http.StatusOK, &f.latest.config)
}

func (l *lambdaService) getFunctionConfiguration(name string, r *request) (reply, *apiError) {
	config, err := l.configuration(name, qualifierOf(r.URL))
	if err != nil {
		return reply{}, err
	}
	return l.encode(http.StatusOK, &config)
}

// findVersion returns the function and the version that a name stands for, as findQualified does, by its number or by an alias.
// l.mu is held.
func (l *lambdaService) findVersion(name, qualifier string) (*function, *version, functionRef, *apiError) {
	f, ref, err := l.findQualified(name, qualifier)
	if err != nil {
		return nil, nil, ref, err
	}
	number := ref.qualifier
	if alias, ok := f.aliases[number]; ok {
		number = alias.Version
	}
	v := f.version(number)
	if v == nil {
		return nil, nil, ref, notFound("Function not found: %s", l.arn(ref))
	}
	return f, v, ref, nil
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

// Configuration returns the configuration of a version ("" or "$LATEST": the unpublished one) as the last call left it; false
// if there is none.
func (s *Server) Configuration(functionName, number string) (types.FunctionConfiguration, bool) {
	l := s.lambda
	l.mu.Lock()
	defer l.mu.Unlock()
	v, err := l.versionOf(functionName, number)
	if err != nil {
		return types.FunctionConfiguration{}, false
	}
	return v.config, true
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

// replace sets a field to the given value, if there is one.
func replace[T any](field **T, given *T) {
	if given != nil {
		*field = given
	}
}
