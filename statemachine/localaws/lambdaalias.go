package localaws

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Alias is the state of a weighted alias at one instant.
type Alias struct {
	Function    string
	Name        string
	Version     string  // the version that it points at
	Additional  string  // the version that receives Weight; empty if there is none
	Weight      float64 // Additional's share of the requests, 0 to 1
	Description string
	RevisionID  string // differs after each change
}

// Weights returns the alias's additional versions with their weights, as Lambda's API has them; nil if there are none.
func (a Alias) Weights() map[string]float64 {
	if a.Additional == "" {
		return nil
	}
	return map[string]float64{a.Additional: a.Weight}
}

// Alias returns the alias's state without a call, and therefore without faults and hooks; false if there is no such alias.
func (s *Server) Alias(functionName, aliasName string) (Alias, bool) {
	return s.AliasAt(functionName, aliasName, s.options.Now())
}

// AliasAt returns the alias's state at an instant, without the changes that AWS makes by itself after it. The instant must
// not precede the time of any earlier call.
func (s *Server) AliasAt(functionName, aliasName string, at time.Time) (Alias, bool) {
	s.lambda.mu.Lock()
	defer s.lambda.mu.Unlock()
	_, a, ok := s.lambda.aliasAt(functionName, aliasName, at)
	return a, ok
}

// aliasAt implements AliasAt, and returns the function, too. l.mu is held.
func (l *lambdaService) aliasAt(functionName, aliasName string, at time.Time) (*function, Alias, bool) {
	f := l.functions[functionName]
	if f == nil {
		return nil, Alias{}, false
	}
	l.settle(f, at)
	a, ok := f.aliases[aliasName]
	return f, a, ok
}

// Aliases returns the state of all aliases without a call, sorted by function and name.
func (s *Server) Aliases() []Alias {
	now := s.options.Now()
	s.lambda.mu.Lock()
	defer s.lambda.mu.Unlock()
	var all []Alias
	for _, name := range slices.Sorted(maps.Keys(s.lambda.functions)) {
		f := s.lambda.functions[name]
		s.lambda.settle(f, now)
		for _, alias := range slices.Sorted(maps.Keys(f.aliases)) {
			all = append(all, f.aliases[alias])
		}
	}
	return all
}

// wire returns the alias as the SDK's type.
func (a Alias) wire(arn string) types.AliasConfiguration {
	out := types.AliasConfiguration{
		AliasArn: &arn, Name: &a.Name, FunctionVersion: &a.Version, Description: &a.Description, RevisionId: &a.RevisionID,
	}
	if weights := a.Weights(); weights != nil {
		out.RoutingConfig = &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights}
	}
	return out
}

func (l *lambdaService) answerAlias(status int, a Alias) (reply, *apiError) {
	out := a.wire(l.arn(functionRef{a.Function, a.Name}))
	return l.encode(status, &out)
}

func (l *lambdaService) createAlias(name string, r *request) (reply, *apiError) {
	var in lambda.CreateAliasInput
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	ref, err := l.unqualified(name)
	if err != nil {
		return reply{}, err
	}
	a := Alias{Function: ref.name, Name: aws.ToString(in.Name)}
	if !isAliasName(a.Name) {
		return reply{}, unsatisfied(a.Name, "name", "(?!^[0-9]+$)([a-zA-Z0-9-_]+)")
	}
	if in.FunctionVersion == nil {
		return reply{}, absent("functionVersion")
	}
	if err := a.change(in.FunctionVersion, in.Description, in.RoutingConfig); err != nil {
		return reply{}, err
	}

	f, err := l.find(ref)
	if err != nil {
		return reply{}, err
	}
	if err := l.check(f, a); err != nil {
		return reply{}, err
	}
	if _, ok := f.aliases[a.Name]; ok {
		return reply{}, conflict("Alias already exists: " + l.arn(functionRef{ref.name, a.Name}))
	}
	a.RevisionID = l.nextRevision()
	f.aliases[a.Name] = a
	return l.answerAlias(http.StatusCreated, a)
}

func (l *lambdaService) getAlias(name, aliasName string) (reply, *apiError) {
	a, err := l.readAlias(name, aliasName)
	if err != nil {
		return reply{}, err
	}
	return l.answerAlias(http.StatusOK, a)
}

// readAlias returns the alias as it is read, which may be later than it is written. l.mu is held.
func (l *lambdaService) readAlias(name, aliasName string) (Alias, *apiError) {
	f, a, err := l.findAlias(name, aliasName, "Cannot find alias arn")
	if err != nil {
		return a, err
	}
	return f.aliasBefore(a, l.now().Add(-l.lag.Reads)), nil
}

func (l *lambdaService) updateAlias(name, aliasName string, r *request) (reply, *apiError) {
	var in lambda.UpdateAliasInput
	if err := decode(r, &in); err != nil {
		return reply{}, err
	}
	a, err := l.writeAlias(name, aliasName, &in)
	if err != nil {
		return reply{}, err
	}
	return l.answerAlias(http.StatusOK, a)
}

// writeAlias writes the alias, and returns it. l.mu is held.
func (l *lambdaService) writeAlias(name, aliasName string, in *lambda.UpdateAliasInput) (Alias, *apiError) {
	f, was, err := l.findAlias(name, aliasName, "Alias not found")
	if err != nil {
		return was, err
	}
	a := was
	if err := a.change(in.FunctionVersion, in.Description, in.RoutingConfig); err != nil {
		return was, err
	}
	if err := l.check(f, a); err != nil {
		return was, err
	}
	if in.RevisionId != nil && *in.RevisionId != a.RevisionID {
		return was, staleRevision()
	}
	if err := l.checkMove(f, was, a); err != nil {
		return was, err
	}
	a.RevisionID = l.nextRevision()
	l.setAlias(f, a, l.now())
	l.moveProvisioned(f, was, a)
	return a, nil
}

func (l *lambdaService) deleteAlias(name, aliasName string) (reply, *apiError) {
	f, _, err := l.findUnqualified(name)
	if err != nil {
		return reply{}, err
	}
	delete(f.aliases, aliasName) // deleting what is not there succeeds, as with AWS
	delete(f.replaced, aliasName)
	delete(f.provisioned, aliasName)
	return reply{status: http.StatusNoContent, header: http.Header{}}, nil
}

// listAliases returns all of a function's aliases, or those that send requests to a version.
func (l *lambdaService) listAliases(name string, r *request) (reply, *apiError) {
	f, _, err := l.findUnqualified(name)
	if err != nil {
		return reply{}, err
	}
	number := r.URL.Query().Get("FunctionVersion")
	out := lambda.ListAliasesOutput{Aliases: []types.AliasConfiguration{}}
	for _, a := range f.aliases {
		if number == "" || number == a.Version || number == a.Additional {
			out.Aliases = append(out.Aliases, a.wire(l.arn(functionRef{a.Function, a.Name})))
		}
	}
	slices.SortFunc(out.Aliases, func(a, b types.AliasConfiguration) int { return strings.Compare(*a.Name, *b.Name) })
	out.Aliases, out.NextMarker, err = page(r, out.Aliases, func(a types.AliasConfiguration) string { return *a.Name })
	if err != nil {
		return reply{}, err
	}
	return l.encode(http.StatusOK, &out)
}

// findAlias returns the function and its alias. The words for a missing alias depend on the operation. l.mu is held.
func (l *lambdaService) findAlias(name, aliasName, missing string) (*function, Alias, *apiError) {
	f, ref, err := l.findUnqualified(name)
	if err != nil {
		return nil, Alias{}, err
	}
	a, ok := f.aliases[aliasName]
	if !ok {
		return nil, Alias{}, notFound("%s: %s", missing, l.arn(functionRef{ref.name, aliasName}))
	}
	return f, a, nil
}

// change applies the fields that a request has and keeps the others. An empty routing configuration removes the weight.
// The error covers what can be checked without the function.
func (a *Alias) change(number, description *string, routing *types.AliasRoutingConfiguration) *apiError {
	if number != nil {
		if *number != latest && !isVersion(*number) {
			return unsatisfied(*number, "functionVersion", `(\$LATEST|[0-9]+)`)
		}
		a.Version = *number
	}
	if err := checkDescription(description); err != nil {
		return err
	}
	if description != nil {
		a.Description = *description
	}
	if routing == nil {
		return nil
	}
	if len(routing.AdditionalVersionWeights) > 1 {
		return invalidParameter("Number of items in AdditionalVersionWeights cannot be greater than 1")
	}
	a.Additional, a.Weight = "", 0
	for additional, weight := range routing.AdditionalVersionWeights {
		const at = "routingConfig.additionalVersionWeights"
		printed := func() string { return "{" + additional + "=" + javaDouble(weight) + "}" }
		switch {
		case !isVersion(additional):
			return invalid(printed(), at, "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, "+
				"Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+]")
		case !(weight >= 0 && weight <= 1):
			return invalid(printed(), at, "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, "+
				"Member must have value greater than or equal to 0.0, Member must not be null]")
		}
		a.Additional, a.Weight = additional, weight
	}
	return nil
}

// check checks an alias's new state against the function's versions. l.mu is held.
func (l *lambdaService) check(f *function, a Alias) *apiError {
	baseline := f.version(a.Version)
	if baseline == nil {
		return notFound("Function not found: %s", l.arn(functionRef{a.Function, a.Version}))
	}
	if a.Additional == "" {
		return nil
	}
	if a.Version == latest {
		return invalidParameter("$LATEST is not supported for an alias pointing to more than 1 version")
	}
	if a.Version == a.Additional {
		return invalidParameter("Invalid function version %s. Function version %s is already included in routing configuration.", a.Version, a.Version)
	}
	additional := f.version(a.Additional)
	if additional == nil {
		return notFound("Function not found: %s", l.arn(functionRef{a.Function, a.Additional}))
	}
	if aws.ToString(baseline.config.Role) != aws.ToString(additional.config.Role) {
		return invalidParameter("Versions %s and %s of a weighted alias must have the same execution role.", a.Version, a.Additional)
	}
	if deadLetters(baseline) != deadLetters(additional) {
		return invalidParameter("Versions %s and %s of a weighted alias must have the same dead-letter configuration.", a.Version, a.Additional)
	}
	return nil
}

// deadLetters returns the ARN of the version's dead-letter target; empty without one.
func deadLetters(v *version) string {
	if v.config.DeadLetterConfig == nil {
		return ""
	}
	return aws.ToString(v.config.DeadLetterConfig.TargetArn)
}
