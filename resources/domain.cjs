'use strict';

/**
 * With DOMAIN_NAME, the API at a domain of its own, for which DOMAIN_CERTIFICATE_ARN names a
 * certificate in the API's region. docs/custom-domain.md has the steps before and after.
 * @throws a string: Serverless prints the stack of an error.
 */
module.exports = async ({ resolveVariable }) => {
  const domain = await resolveVariable("env:DOMAIN_NAME, ''");
  if (domain === '') return {};
  const certificate = await resolveVariable("env:DOMAIN_CERTIFICATE_ARN, ''");
  const region = await resolveVariable('self:provider.region');
  if (!certificate.startsWith(`arn:aws:acm:${region}:`))
    throw `DOMAIN_CERTIFICATE_ARN is "${certificate}". ${domain} needs a certificate in ${region}: export DOMAIN_CERTIFICATE_ARN=arn:aws:acm:${region}:<account>:certificate/<id>`;
  return {
    Resources: {
      ApiDomain: {
        Type: 'AWS::ApiGateway::DomainName',
        Properties: {
          DomainName: domain,
          RegionalCertificateArn: certificate,
          EndpointConfiguration: { Types: ['REGIONAL'] },
          SecurityPolicy: 'TLS_1_2',
        },
      },
      ApiDomainMapping: {
        Type: 'AWS::ApiGateway::BasePathMapping',
        DependsOn: 'ApiGatewayStage',
        Properties: {
          DomainName: { Ref: 'ApiDomain' },
          RestApiId: { Ref: 'ApiGatewayRestApi' },
          Stage: await resolveVariable('sls:stage'),
        },
      },
    },
    Outputs: {
      ApiDomainTarget: { Value: { 'Fn::GetAtt': ['ApiDomain', 'RegionalDomainName'] } },
      ApiDomainTargetZone: { Value: { 'Fn::GetAtt': ['ApiDomain', 'RegionalHostedZoneId'] } },
    },
  };
};
