package localaws

import (
	"fmt"
	"net/http"
	"strings"
)

// functionRef is a function as a request names it, with a version or alias, if any.
type functionRef struct {
	name      string
	qualifier string // "", "$LATEST", a version, or an alias
}

// String returns the reference as Lambda's metrics write it in their dimension Resource.
func (f functionRef) String() string {
	if f.qualifier == "" {
		return f.name
	}
	return f.name + ":" + f.qualifier
}

// parseFunction reads the forms that Lambda accepts, each with or without a qualifier at its end: a name, a partial ARN
// (123456789012:function:name) and a full ARN.
func (l *lambdaService) parseFunction(given string) (functionRef, *apiError) {
	var ref functionRef
	region, account := l.region, l.account
	parts := strings.Split(given, ":")
	switch {
	case len(parts) <= 2:
		ref.name, parts = parts[0], parts[1:]
	case len(parts) <= 4 && parts[1] == "function":
		account, ref.name, parts = parts[0], parts[2], parts[3:]
	case (len(parts) == 7 || len(parts) == 8) && strings.HasPrefix(given, "arn:aws") && parts[2] == "lambda" && parts[5] == "function":
		region, account, ref.name, parts = parts[3], parts[4], parts[6], parts[7:]
	default:
		return ref, badFunctionName(given)
	}
	if len(parts) == 1 {
		ref.qualifier = parts[0]
		if !isQualifier(ref.qualifier) {
			return ref, badFunctionName(given)
		}
	}
	switch {
	case !isWord(ref.name) || len(ref.name) > 64:
		return ref, badFunctionName(given)
	case region != l.region:
		return ref, notFound("Functions from '%s' are not reachable in this region ('%s')", region, l.region)
	case account != l.account:
		return ref, &apiError{http.StatusForbidden, "AccessDeniedException",
			fmt.Sprintf("account %s is not authorized to perform this action on resource %s", l.account, given)}
	}
	return ref, nil
}

// arn returns the ARN of the function, its version or its alias.
func (l *lambdaService) arn(ref functionRef) string {
	return "arn:aws:lambda:" + l.region + ":" + l.account + ":function:" + ref.String()
}

// unqualified parses the name for an operation on the function itself, or one that names the alias separately.
func (l *lambdaService) unqualified(given string) (functionRef, *apiError) {
	ref, err := l.parseFunction(given)
	if err == nil && ref.qualifier != "" {
		err = invalidParameter("The function name '%s' must not be qualified here.", given)
	}
	return ref, err
}

// qualified parses the name for an operation that accepts a qualifier, in the name or separately.
func (l *lambdaService) qualified(given, qualifier string) (functionRef, *apiError) {
	ref, err := l.parseFunction(given)
	switch {
	case err != nil || qualifier == "":
		return ref, err
	case ref.qualifier != "" && ref.qualifier != qualifier:
		return ref, invalidParameter("The derived qualifier from the function name does not match the specified qualifier.")
	case !isQualifier(qualifier):
		return ref, unsatisfied(qualifier, "qualifier", "(|[a-zA-Z0-9$_-]+)")
	}
	ref.qualifier = qualifier
	return ref, nil
}

// isQualifier reports whether s can be a version, $LATEST or the name of an alias.
func isQualifier(s string) bool { return s == latest || (isWord(s) && len(s) <= 128) }

// isVersion reports whether s has the form of a published version's number.
func isVersion(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isAliasName reports whether Lambda accepts s as the name of an alias: a word that is not a number.
func isAliasName(s string) bool { return isWord(s) && len(s) <= 128 && !isVersion(s) }

// isWord reports whether s has only letters, digits, - and _, at least one.
func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return s != ""
}

// badFunctionName returns the validation error for a function's name.
func badFunctionName(given string) *apiError {
	return unsatisfied(given, "functionName", `(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?`)
}
