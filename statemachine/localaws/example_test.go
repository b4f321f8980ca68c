package localaws_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/lambda-rollout/lambda-rollout/statemachine/localaws"
)

// A client of the AWS SDK sends 10% of an alias's requests to version 2.
func Example() {
	local := localaws.New(localaws.Options{})
	if err := local.AddFunction("greet", 1, 2); err != nil {
		log.Fatal(err)
	}
	if err := local.AddAlias("greet", "live", "1", "customers"); err != nil {
		log.Fatal(err)
	}
	functions := lambda.NewFromConfig(local.Config())
	_, err := functions.UpdateAlias(context.Background(), &lambda.UpdateAliasInput{
		FunctionName: aws.String("greet"), Name: aws.String("live"),
		RoutingConfig: &types.AliasRoutingConfiguration{AdditionalVersionWeights: map[string]float64{"2": 0.1}},
	})
	if err != nil {
		log.Fatal(err)
	}
	alias, _ := local.Alias("greet", "live")
	fmt.Printf("version %s, and version %s with weight %g\n", alias.Version, alias.Additional, alias.Weight)
	// Output: version 1, and version 2 with weight 0.1
}
