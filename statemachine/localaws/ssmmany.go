package localaws

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

// mostNames is how many parameters one call of GetParameters or DeleteParameters may name.
const mostNames = 10

// checkNames returns an error for names that both operations refuse.
func checkNames(names []string) *apiError {
	switch {
	case len(names) == 0:
		return invalid("[]", "names", "Member must have length greater than or equal to 1")
	case len(names) > mostNames:
		return invalid("["+strings.Join(names, ", ")+"]", "names", "Member must have length less than or equal to 10")
	}
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return badRequest("ValidationException", "Duplicate parameter names are not allowed: %s", name)
		}
	}
	return nil
}

// getParameters returns the last versions of several parameters, or those whose numbers follow the names' colons, and the
// names of which there are none.
func (s *ssmService) getParameters(r *request) (reply, *apiError) {
	var in ssm.GetParametersInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	if err := checkNames(in.Names); err != nil {
		return reply{}, err
	}
	out := struct {
		Parameters        []parameterItem
		InvalidParameters []string
	}{[]parameterItem{}, []string{}}
	for _, name := range in.Names {
		item, err := s.selected(name, in.WithDecryption)
		switch {
		case err != nil && err.code != "ParameterNotFound" && err.code != "ParameterVersionNotFound":
			return reply{}, err
		case err != nil:
			out.InvalidParameters = append(out.InvalidParameters, name)
		default:
			out.Parameters = append(out.Parameters, item)
		}
	}
	return s.encode(&out)
}

// deleteParameters deletes several parameters with their histories, and returns which of them there were.
func (s *ssmService) deleteParameters(r *request) (reply, *apiError) {
	var in ssm.DeleteParametersInput
	if err := s.decode(r, &in); err != nil {
		return reply{}, err
	}
	if err := checkNames(in.Names); err != nil {
		return reply{}, err
	}
	out := struct{ DeletedParameters, InvalidParameters []string }{[]string{}, []string{}}
	for _, name := range in.Names {
		if p, selector, err := s.find(name); err == nil && selector == "" && p.name == name {
			delete(s.parameters, name)
			out.DeletedParameters = append(out.DeletedParameters, name)
		} else {
			out.InvalidParameters = append(out.InvalidParameters, name)
		}
	}
	return s.encode(&out)
}

// selected returns what GetParameter returns for a name.
func (s *ssmService) selected(name string, decrypt *bool) (parameterItem, *apiError) {
	p, selector, err := s.find(name)
	if err != nil {
		return parameterItem{}, err
	}
	version, err := p.selected(selector)
	if err != nil {
		return parameterItem{}, err
	}
	out := s.item(p, version, decrypt)
	if selector != "" {
		out.Selector = ":" + selector
	}
	return out, nil
}

// needsOnNames returns the permission that an operation needs on each parameter that the request names.
func (s *ssmService) needsOnNames(operation string, r *request) ([]need, *apiError) {
	var in struct{ Names []string }
	if err := s.decode(r, &in); err != nil {
		return nil, err
	}
	var all []need
	for _, name := range in.Names {
		bare, _, _ := strings.Cut(strings.TrimPrefix(name, s.prefix), ":")
		all = append(all, need{"ssm:" + operation, s.prefix + strings.TrimPrefix(bare, "/"), true})
	}
	if len(all) == 0 {
		all = []need{{"ssm:" + operation, "*", false}}
	}
	return all, nil
}
