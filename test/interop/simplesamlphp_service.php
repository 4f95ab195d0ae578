<?php
// An application behind SimpleSAMLphp's service provider "sp", as its handbook has it: who is logged in, as JSON.
// A router of `php -S`: everything but this one page is SimpleSAMLphp's own.

if (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) !== '/application') {
    return false;
}
require_once '/usr/share/simplesamlphp/lib/_autoload.php';
$login = new \SimpleSAML\Auth\Simple('sp');
header('Content-Type: application/json');
if (!$login->isAuthenticated()) {
    echo json_encode(['name' => null]);
    return true;
}
$name = $login->getAuthData('saml:sp:NameID');
echo json_encode([
    'name' => $name->getValue(),
    'format' => $name->getFormat(),
    'attributes' => $login->getAttributes(),
    'issuer' => $login->getAuthData('saml:sp:IdP'),
    'session' => $login->getAuthData('saml:sp:SessionIndex'),
]);
return true;
