'use strict';

/** Requests of one address in five minutes; more are blocked until the rate falls. */
const limitPerAddress = 2000;

/**
 * With WAF=on, AWS WAF in front of the API: a limit per address, and AWS's rules against known bad
 * inputs. docs/waf.md says what it costs and how to see what it blocked.
 * @throws a string: Serverless prints the stack of an error.
 */
module.exports = async ({ resolveVariable, resolveConfigurationProperty }) => {
  const choice = await resolveVariable("env:WAF, 'off'");
  if (choice === 'off') return {};
  if (choice !== 'on') throw `WAF is "${choice}", and has to be on or off.`;
  const name = `${await resolveConfigurationProperty(['service'])}-${await resolveVariable('sls:stage')}`;
  const visibility = (metric) => ({
    CloudWatchMetricsEnabled: true,
    MetricName: `${name}-${metric}`,
    SampledRequestsEnabled: true,
  });
  return {
    Resources: {
      WebAcl: {
        Type: 'AWS::WAFv2::WebACL',
        Properties: {
          Name: name,
          Scope: 'REGIONAL',
          DefaultAction: { Allow: {} },
          VisibilityConfig: visibility('all'),
          Rules: [
            {
              Name: 'rate',
              Priority: 1,
              Action: { Block: {} },
              Statement: { RateBasedStatement: { Limit: limitPerAddress, AggregateKeyType: 'IP' } },
              VisibilityConfig: visibility('rate'),
            },
            {
              Name: 'known-bad-inputs',
              Priority: 2,
              OverrideAction: { None: {} },
              Statement: {
                ManagedRuleGroupStatement: { VendorName: 'AWS', Name: 'AWSManagedRulesKnownBadInputsRuleSet' },
              },
              VisibilityConfig: visibility('known-bad-inputs'),
            },
          ],
        },
      },
      WebAclAssociation: {
        Type: 'AWS::WAFv2::WebACLAssociation',
        DependsOn: 'ApiGatewayStage',
        Properties: {
          ResourceArn: {
            'Fn::Sub': `arn:\${AWS::Partition}:apigateway:\${AWS::Region}::/restapis/\${ApiGatewayRestApi}/stages/${await resolveVariable('sls:stage')}`,
          },
          WebACLArn: { 'Fn::GetAtt': ['WebAcl', 'Arn'] },
        },
      },
    },
  };
};
