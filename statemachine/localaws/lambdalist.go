package localaws

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// listFunctions returns a page of the functions' $LATEST, or of all their versions, in the order of their names.
func (l *lambdaService) listFunctions(r *request) (reply, *apiError) {
	all := false
	switch kind := r.URL.Query().Get("FunctionVersion"); kind {
	case "":
	case "ALL":
		all = true
	default:
		return reply{}, invalid(kind, "functionVersion", "Member must satisfy enum value set: [ALL]")
	}
	var list []types.FunctionConfiguration
	for _, name := range slices.Sorted(maps.Keys(l.functions)) {
		f := l.functions[name]
		if all {
			list = append(list, l.versionsOf(f)...)
		} else {
			list = append(list, listed(f.latest.config))
		}
	}
	out := lambda.ListFunctionsOutput{}
	var err *apiError
	out.Functions, out.NextMarker, err = page(r, list, func(c types.FunctionConfiguration) string { return *c.FunctionArn })
	if err != nil {
		return reply{}, err
	}
	return l.encode(http.StatusOK, &out)
}

// listVersions returns a page of a function's versions: $LATEST, and then the published ones, the oldest first.
func (l *lambdaService) listVersions(name string, r *request) (reply, *apiError) {
	f, _, err := l.findUnqualified(name)
	if err != nil {
		return reply{}, err
	}
	out := lambda.ListVersionsByFunctionOutput{}
	out.Versions, out.NextMarker, err = page(r, l.versionsOf(f), func(c types.FunctionConfiguration) string { return *c.Version })
	if err != nil {
		return reply{}, err
	}
	return l.encode(http.StatusOK, &out)
}

// versionsOf returns a function's versions as lists have them. l.mu is held.
func (l *lambdaService) versionsOf(f *function) []types.FunctionConfiguration {
	unpublished := listed(f.latest.config)
	unpublished.FunctionArn = aws.String(l.arn(functionRef{*unpublished.FunctionName, latest}))
	all := []types.FunctionConfiguration{unpublished}
	for _, number := range slices.Sorted(maps.Keys(f.versions)) {
		all = append(all, listed(f.versions[number].config))
	}
	return all
}

// listed returns a configuration as lists have it: without the states and the version of the runtime.
func listed(c types.FunctionConfiguration) types.FunctionConfiguration {
	c.State, c.StateReason, c.StateReasonCode = "", nil, ""
	c.LastUpdateStatus, c.LastUpdateStatusReason, c.LastUpdateStatusReasonCode = "", nil, ""
	c.RuntimeVersionConfig = nil
	return c
}

// page returns the part of a list that a request's MaxItems and Marker select, never nil, and the marker of the next part:
// the key of its first item.
func page[T any](r *request, all []T, key func(T) string) ([]T, *string, *apiError) {
	size, query := 50, r.URL.Query()
	if given := query.Get("MaxItems"); given != "" {
		var err error
		if size, err = strconv.Atoi(given); err != nil || size < 1 || size > 10000 {
			return nil, nil, invalid(given, "maxItems", "Member must have value between 1 and 10000, inclusive")
		}
	}
	from := 0
	if marker := query.Get("Marker"); marker != "" {
		if from = slices.IndexFunc(all, func(item T) bool { return key(item) == marker }); from < 0 {
			return nil, nil, invalidParameter("Invalid Marker: %s", fmt.Sprintf("%.100s", marker))
		}
	}
	part := append([]T{}, all[from:min(from+size, len(all))]...)
	if from+size < len(all) {
		return part, aws.String(key(all[from+size])), nil
	}
	return part, nil, nil
}
