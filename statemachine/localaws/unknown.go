package localaws

import (
	"cmp"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// unknownOperation returns the error for an operation that the local AWS does not have: InvalidAction for services that
// speak AWS's query protocol, and otherwise UnknownOperationException, as those services answer.
func unknownOperation(operation string, r *http.Request) *apiError {
	switch protocolOf(r) {
	case queryProtocol:
		form, _ := readForm(r)
		if operation == "" {
			return badRequest("MissingAction", "The request must have the parameter Action")
		}
		return badRequest("InvalidAction", "Could not find operation %s for version %s: the local AWS does not support it", operation, form.Get("Version"))
	case jsonProtocol:
		return badRequest("UnknownOperationException", "the local AWS does not support the operation %s", operation)
	}
	if asked := r.Method + " " + r.URL.Path; asked != operation {
		operation += " (" + asked + ")"
	}
	return &apiError{http.StatusNotFound, "UnknownOperationException", "the local AWS does not support the operation " + operation}
}

// protocol is how a client speaks to AWS.
type protocol int

const (
	restProtocol protocol = iota // REST, with JSON or XML
	jsonProtocol                 // AWS JSON 1.0 or 1.1
	queryProtocol
	cborProtocol // Smithy RPC v2
)

// protocolOf returns the protocol that a request shows.
func protocolOf(r *http.Request) protocol {
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		return jsonProtocol
	case r.Header.Get("Smithy-Protocol") == "rpc-v2-cbor":
		return cborProtocol
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"), r.Method == http.MethodGet && r.URL.Path == "/" && r.URL.Query().Has("Version"):
		return queryProtocol
	}
	return restProtocol
}

// signedFor returns the name of the service that a request is signed for, as in its credential scope; empty if it is not
// signed.
func signedFor(r *http.Request) string {
	parts := credentialOf(r)
	if len(parts) < 5 {
		return ""
	}
	return parts[len(parts)-2]
}

// credentialOf returns the parts of the credential that a request is signed with, in its header or, for a presigned address, in
// its parameters: the access key id, which may have slashes itself, and then date, region, service and "aws4_request".
func credentialOf(r *http.Request) []string {
	_, scope, ok := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if !ok {
		scope = ""
		if strings.Contains(r.URL.RawQuery, "X-Amz-Credential=") {
			scope = r.URL.Query().Get("X-Amz-Credential")
		}
	}
	scope, _, _ = strings.Cut(scope, ",")
	return strings.Split(scope, "/")
}

// ownServices are the names that requests are signed for of the services that the local AWS has.
var ownServices = []string{"lambda", "monitoring", "states", "ssm", "secretsmanager", "sns", "events", "logs", "cloudformation", "sts"}

// serviceNames are the names of services that the local AWS does not have, by the name that requests are signed for.
var serviceNames = map[string]string{
	"apigateway": "Amazon API Gateway", "appconfig": "AWS AppConfig", "application-autoscaling": "Application Auto Scaling",
	"autoscaling": "Amazon EC2 Auto Scaling", "cloudfront": "Amazon CloudFront", "codedeploy": "AWS CodeDeploy", "cognito-idp": "Amazon Cognito",
	"dynamodb": "Amazon DynamoDB", "ec2": "Amazon EC2", "ecr": "Amazon ECR", "ecs": "Amazon ECS", "elasticloadbalancing": "Elastic Load Balancing",
	"firehose": "Amazon Data Firehose", "iam": "AWS IAM", "kinesis": "Amazon Kinesis", "kms": "AWS KMS", "rds": "Amazon RDS", "route53": "Amazon Route 53",
	"s3": "Amazon S3", "scheduler": "Amazon EventBridge Scheduler", "sqs": "Amazon SQS", "tagging": "the Resource Groups Tagging API", "xray": "AWS X-Ray",
}

// unknownService refuses, by name, a request that no service claims. It answers in the protocol of the request, so that its
// client shows the refusal.
type unknownService struct {
	protocol protocol
	service  string // that the request is signed for; empty if it is not
}

func newUnknownService(r *http.Request) unknownService {
	return unknownService{protocolOf(r), signedFor(r)}
}

func (unknownService) claims(*http.Request) bool { return true }

func (unknownService) operations() []string { return nil }

func (u unknownService) route(r *http.Request) (operation, target string, err *apiError) {
	operation = r.Header.Get("X-Amz-Target")
	if u.protocol == queryProtocol {
		form, _ := readForm(r)
		return form.Get("Action"), "", u.refuse(form.Get("Action"), r)
	}
	operation = cmp.Or(operation, r.Method+" "+r.URL.Path)
	return operation, "", u.refuse(operation, r)
}

// refuse returns the refusal of an operation, which names the service if that is known.
func (u unknownService) refuse(operation string, r *http.Request) *apiError {
	err := unknownOperation(operation, r)
	switch {
	case u.protocol == queryProtocol && operation == "":
	case slices.Contains(ownServices, u.service):
		if u.protocol == restProtocol && u.service != "lambda" {
			err.message += ": it has neither the header X-Amz-Target nor the parameters Action and Version"
		}
	case u.service != "":
		err.message = fmt.Sprintf("the local AWS does not have %s: %s cannot be answered", cmp.Or(serviceNames[u.service], "the service "+u.service), operation)
	}
	if u.isXML() {
		err.status, err.code = http.StatusNotImplemented, "NotImplemented"
	}
	return err
}

// isXML reports whether the service is one of those that speak REST with XML.
func (u unknownService) isXML() bool {
	return u.protocol == restProtocol && (strings.HasPrefix(u.service, "s3") || u.service == "route53" || u.service == "cloudfront")
}

func (u unknownService) handle(operation string, r *request) (reply, *apiError) {
	return reply{}, u.refuse(operation, r.Request)
}

func (unknownService) throttled() *apiError {
	return &apiError{http.StatusTooManyRequests, "ThrottlingException", "Rate exceeded"}
}

func (unknownService) broken() *apiError {
	return &apiError{http.StatusInternalServerError, "InternalFailure", "Internal failure"}
}

func (unknownService) unavailable() *apiError {
	return &apiError{http.StatusServiceUnavailable, "ServiceUnavailable", "Service unavailable"}
}

// xmlError is an error in XML.
type xmlError struct {
	Type    string `xml:",omitempty"`
	Code    string
	Message string
}

func (u unknownService) refusal(e *apiError) reply {
	header := http.Header{"X-Amzn-Errortype": {e.code}}
	switch {
	case u.protocol == cborProtocol:
		header.Set("Content-Type", "application/cbor")
		header.Set("Smithy-Protocol", "rpc-v2-cbor")
		return reply{e.status, header, cborError(e.code, "message", e.message)}
	case u.isXML() && strings.HasPrefix(u.service, "s3"):
		return u.inXML(e.status, struct {
			XMLName xml.Name `xml:"Error"`
			xmlError
		}{xmlError: xmlError{Code: e.code, Message: e.message}})
	case u.protocol == queryProtocol && u.service == "ec2":
		return u.inXML(e.status, struct {
			XMLName xml.Name `xml:"Response"`
			Error   xmlError `xml:"Errors>Error"`
		}{Error: xmlError{Code: e.code, Message: e.message}})
	case u.protocol == queryProtocol, u.isXML():
		return u.inXML(e.status, struct {
			XMLName xml.Name `xml:"ErrorResponse"`
			Error   xmlError
		}{Error: xmlError{"Sender", e.code, e.message}})
	}
	body, err := json.Marshal(map[string]string{"__type": e.code, "message": e.message})
	if err != nil {
		panic(err) // two strings
	}
	header.Set("Content-Type", "application/json")
	return reply{e.status, header, body}
}

func (unknownService) inXML(status int, v any) reply {
	body, err := xml.Marshal(v)
	if err != nil {
		panic(err) // strings only
	}
	return reply{status, http.Header{"Content-Type": {"text/xml"}}, append([]byte(xml.Header), body...)}
}
