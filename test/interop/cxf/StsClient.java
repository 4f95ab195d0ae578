import java.io.StringReader;
import java.io.StringWriter;
import java.util.HashMap;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.cxf.Bus;
import org.apache.cxf.BusFactory;
import org.apache.cxf.configuration.security.AuthorizationPolicy;
import org.apache.cxf.transport.http.HTTPConduit;
import org.apache.cxf.ws.security.SecurityConstants;
import org.apache.cxf.ws.security.tokenstore.SecurityToken;
import org.apache.cxf.ws.security.trust.STSClient;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

/** Speaks WS-Trust with CXF's STSClient as its arguments say: address, binding, basic|username, client, secret, Issue|Validate, appliesTo, token. */
public final class StsClient {
  public static void main(String[] args) throws Exception {
    Bus bus = BusFactory.newInstance().createBus();
    BusFactory.setDefaultBus(bus);
    STSClient client = new STSClient(bus);
    String trust = "http://docs.oasis-open.org/ws-sx/ws-trust/200512/";
    client.setWsdlLocation(args[0] + "?wsdl");
    client.setServiceName("{" + trust + "}SecurityTokenService");
    client.setEndpointName("{" + trust + "}" + args[1]);
    Map<String, Object> properties = new HashMap<>();
    if (args[2].equals("username")) {
      properties.put(SecurityConstants.USERNAME, args[3]);
      properties.put(SecurityConstants.PASSWORD, args[4]);
    }
    client.setProperties(properties);
    client.setKeyType("http://docs.oasis-open.org/ws-sx/ws-trust/200512/Bearer");
    client.setSendKeyType(true);
    client.setTokenType("http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0");
    client.setAllowRenewing(false);
    if (args[2].equals("basic")) {
      AuthorizationPolicy policy = new AuthorizationPolicy();
      policy.setUserName(args[3]);
      policy.setPassword(args[4]);
      policy.setAuthorizationType("Basic");
      ((HTTPConduit) client.getClient().getConduit()).setAuthorization(policy);
    }
    Element token = parse(args[7]);
    try {
      if (args[5].equals("Validate")) {
        SecurityToken given = new SecurityToken(token.getAttribute("ID"), token, null, null);
        System.out.println("valid " + client.validateSecurityToken(given).size());
      } else {
        client.setOnBehalfOf(token);
        SecurityToken issued = client.requestSecurityToken(args[6]);
        System.out.println("issued " + issued.getTokenType() + " " + text(issued.getToken()));
      }
    } catch (Exception refused) {
      System.out.println("refused " + refused);
      Throwable cause = refused.getCause();
      if (cause != null) System.out.println("because " + cause);
      if (System.getenv("TRACE") != null) refused.printStackTrace();
    }
    bus.shutdown(true);
    System.exit(0);
  }

  private static Element parse(String xml) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setNamespaceAware(true);
    return factory.newDocumentBuilder().parse(new InputSource(new StringReader(xml))).getDocumentElement();
  }

  private static String text(Element element) throws Exception {
    StringWriter writer = new StringWriter();
    var transformer = TransformerFactory.newInstance().newTransformer();
    transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
    transformer.transform(new DOMSource(element), new StreamResult(writer));
    return writer.toString();
  }
}
