package task

import (
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/lambda-rollout/lambda-rollout/lambdas/health"
	"github.com/lambda-rollout/lambda-rollout/lambdas/notify"
)

// The environment of the functions.
const (
	gatesVariable  = "GATES"     // those that the stack allows, separated by commas
	topicsVariable = "TOPICS"    // ARNs of those that requests may name, likewise
	topicVariable  = "TOPIC_ARN" // the stack's own
)

// AllowedGates are those that the stack has permissions for.
func AllowedGates() []string { return listed(gatesVariable) }

// AllowedTopics are those that requests may name.
func AllowedTopics() []string { return listed(topicsVariable) }

func listed(variable string) []string {
	return strings.FieldsFunc(os.Getenv(variable), func(r rune) bool { return r == ',' })
}

// NewHealthCheck is the health check over real clients of AWS, in real time.
func NewHealthCheck(cfg aws.Config) HealthCheck {
	// Whoever is invoked may take longer than a call of AWS: each has a time of its own.
	patient := cfg.Copy()
	patient.HTTPClient = awshttp.NewBuildableClient()
	parameters := ssm.NewFromConfig(cfg)
	return HealthCheck{
		Metrics: health.NewCloudWatch(cloudwatch.NewFromConfig(cfg)),
		Control: NewControl(parameters),
		Gates: health.Reach{
			Functions: health.NewLambda(lambda.NewFromConfig(patient)),
			Web:       health.NewHTTPClient(nil, nil),
			Secrets:   health.NewSecrets(secretsmanager.NewFromConfig(cfg), parameters),
			Together:  health.InGoroutines,
		},
		Announcer: NewAnnouncer(cfg),
		Log:       Logger(),
	}
}

// NewNotifier tells the stack's topic and the account's default event bus.
func NewNotifier(cfg aws.Config) notify.Notifier {
	return notify.Notifier{
		Topics: notify.NewSNS(sns.NewFromConfig(cfg)),
		Topic:  os.Getenv(topicVariable),
		// A refused request may name any topic.
		OwnOnly: len(AllowedTopics()) == 0,
		Bus:     notify.NewEventBridge(eventbridge.NewFromConfig(cfg), "default"),
	}
}

// NewAnnouncer tells of a rollout under way.
func NewAnnouncer(cfg aws.Config) Announcer {
	return Announcer{Notifier: NewNotifier(cfg), Log: Logger()}
}
