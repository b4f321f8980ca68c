package project

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"mvdan.cc/sh/v3/syntax"
)

// services are those of the AWS CLI that the documentation calls, with the SDK's clients,
// whose methods are the operations.
var services = map[string]reflect.Type{
	"cloudformation": reflect.TypeFor[*cloudformation.Client](),
	"cloudwatch":     reflect.TypeFor[*cloudwatch.Client](),
	"logs":           reflect.TypeFor[*cloudwatchlogs.Client](),
	"events":         reflect.TypeFor[*eventbridge.Client](),
	"lambda":         reflect.TypeFor[*lambda.Client](),
	"stepfunctions":  reflect.TypeFor[*sfn.Client](),
	"ssm":            reflect.TypeFor[*ssm.Client](),
}

// otherCommands are what the documentation calls beyond those: commands of the AWS CLI's
// own, and operations of services whose clients this module does not have. They have the
// options that are used, by AWS's reference of its CLI.
var otherCommands = map[string][]string{
	"cloudformation deploy":        {"template-file", "stack-name", "s3-bucket", "capabilities", "parameter-overrides"},
	"cloudtrail lookup-events":     {"lookup-attributes", "max-results"},
	"deploy get-deployment-config": {"deployment-config-name"},
	"lambda wait":                  {"function-name"},
	"s3 cp":                        {"recursive"},
	"sqs purge-queue":              {"queue-url"},
	"sqs receive-message":          {"queue-url", "message-attribute-names", "max-number-of-messages"},
}

// everywhere are options that each command of the AWS CLI has.
var everywhere = []string{"query", "output", "region", "profile", "endpoint-url", "cli-input-json", "cli-binary-format", "no-cli-pager", "max-items"}

// pascal returns a name of the AWS CLI as the SDK has it.
func pascal(name string) string {
	var all strings.Builder
	for _, part := range strings.Split(name, "-") {
		all.WriteString(strings.ToUpper(part[:min(1, len(part))]) + part[min(1, len(part)):])
	}
	return all.String()
}

// fields returns the lower-case names of an operation's input, and whether there is the
// operation.
func fields(client reflect.Type, operation string) (map[string]bool, bool) {
	if client == nil {
		return nil, false
	}
	method, is := client.MethodByName(pascal(operation))
	if !is || method.Type.NumIn() < 3 {
		return nil, false
	}
	names, input := map[string]bool{}, method.Type.In(2).Elem()
	for i := range input.NumField() {
		names[strings.ToLower(input.Field(i).Name)] = true
	}
	return names, true
}

// awsProblem returns what is wrong with the words of a command line after `aws`; "" if
// nothing.
func awsProblem(words []string) string {
	if len(words) < 2 {
		return "there is no operation"
	}
	var has func(option string) bool
	if options, is := otherCommands[words[0]+" "+words[1]]; is {
		has = func(option string) bool { return slices.Contains(options, option) }
	} else {
		names, is := fields(services[words[0]], words[1])
		if !is {
			return fmt.Sprintf("%s has no operation %s", words[0], words[1])
		}
		has = func(option string) bool { return names[strings.ToLower(pascal(option))] }
	}
	for _, word := range words[2:] {
		option, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if strings.HasPrefix(word, "--") && !slices.Contains(everywhere, option) && !has(option) && !has(strings.TrimPrefix(option, "no-")) {
			return fmt.Sprintf("%s %s has no option --%s", words[0], words[1], option)
		}
	}
	return ""
}

var awsSpan = regexp.MustCompile("`(aws [^`\n]+)`")

// awsLines returns what is wrong with a page's calls of the AWS CLI, and their number.
func awsLines(page string) (bad []string, found int) {
	scripts := blocks(page, "(?:sh|bash)")
	for _, span := range awsSpan.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		scripts = append(scripts, span[1])
	}
	for _, script := range scripts {
		file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
		if err != nil {
			bad = append(bad, err.Error())
			continue
		}
		syntax.Walk(file, func(node syntax.Node) bool {
			call, is := node.(*syntax.CallExpr)
			if !is || len(call.Args) == 0 || call.Args[0].Lit() != "aws" {
				return true
			}
			found++
			var words []string
			for _, arg := range call.Args[1:] {
				words = append(words, arg.Lit())
			}
			if problem := awsProblem(words); problem != "" {
				bad = append(bad, problem)
			}
			return true
		})
	}
	return bad, found
}

// TestTheDocumentationsCallsOfAWS are of operations that there are, with their options.
func TestTheDocumentationsCallsOfAWS(t *testing.T) {
	found := 0
	for name, page := range markdown(t) {
		bad, n := awsLines(page)
		for _, problem := range bad {
			t.Errorf("%s: %s", name, problem)
		}
		found += n
	}
	if found < 50 {
		t.Errorf("only %d calls were found", found)
	}
	for _, bad := range []string{
		"aws lambda update-aliases", "aws lambda get-alias --function MyFunction", "aws step-functions start-execution", "aws s3 mv a b", "aws lambda",
	} {
		if problems, _ := awsLines("```sh\n" + bad + "\n```\n"); len(problems) != 1 {
			t.Errorf("%s has %q", bad, problems)
		}
	}
}
